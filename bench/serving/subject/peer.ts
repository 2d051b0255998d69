import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Sample } from '../model/sample.ts';
import { descendants } from '../usage/processes.ts';
import type { Encoding, Message } from '../v2.ts';
import { Child } from './child.ts';
import { providePython } from './python.ts';
import type { Ground, Subject, SubjectKind } from './subject.ts';

const FOLDER = fileURLToPath(new URL('../peer', import.meta.url));
const START_MS = 180_000;
const PREPARE_MS = 300_000;

export interface Setting {
  /** For the table. */
  what: string;
  env: Readonly<Record<string, string>>;
  /** Most rows in one run; 1: no batching. */
  batch: number;
}

/** Where a peer stands while it is started. */
export interface Place {
  /** The folder with the programs of its Python. */
  python: string;
  /** Its own, empty but for its files. */
  folder: string;
  port: number;
  setting: Setting;
}

/** A server of models from a registry: how it is started, asked and understood. */
export interface Peer {
  name: string;
  label: string;
  settings: readonly Setting[];
  files?: (sample: Sample, setting: Setting) => Readonly<Record<string, string>>;
  /** Run to its end before. */
  prepare?: (place: Place) => string[];
  command: (place: Place) => string[];
  env?: (port: number) => Readonly<Record<string, string>>;
  readyPath: (sample: Sample) => string;
  path: (sample: Sample) => string;
  speaks: readonly Encoding[];
  message: (sample: Sample, row: Float32Array, encoding: Encoding) => Message;
  read: (body: Buffer, headers: Headers) => number[];
}

/** One kind for each setting. */
export function kindsOf(peer: Peer): SubjectKind[] {
  return peer.settings.map(setting => {
    const kind: SubjectKind = {
      name: peer.name,
      role: 'peer',
      what: `${peer.label}: ${setting.what}`,
      speaks: peer.speaks,
      start: (sample, ground) => startPeer(kind, peer, setting, sample, ground),
    };
    return kind;
  });
}

async function startPeer(
  kind: SubjectKind,
  peer: Peer,
  setting: Setting,
  sample: Sample,
  ground: Ground,
): Promise<Subject> {
  const python = await providePython(peer.name, join(FOLDER, peer.name, 'requirements.txt'), ground);
  await mkdir(ground.scratch, { recursive: true });
  const folder = await mkdtemp(join(ground.scratch, `${peer.name}-`));
  const place: Place = { python, folder, port: await freePort(), setting };
  for (const [name, text] of Object.entries(peer.files?.(sample, setting) ?? {}))
    await writeFile(join(folder, name), text);
  const env = envOf(peer, sample, place);
  if (peer.prepare !== undefined) await runToEnd(peer.prepare(place), env, ground);
  const [program = '', ...args] = peer.command(place);
  const child = await Child.start({ program, args, env, cwd: folder });
  const base = `http://127.0.0.1:${place.port}`;
  try {
    const look = (): Promise<true | null> => isReady(base + peer.readyPath(sample));
    await child.until(look, 'readiness', { boundMs: START_MS, signal: ground.signal });
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
  return {
    kind,
    processes: () => ({ front: [child.pid, ...descendants(child.pid)], engine: [] }),
    dialect: encoding => ({
      url: base + peer.path(sample),
      messages: sample.rows.map(row => peer.message(sample, row, encoding)),
      read: peer.read,
    }),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

function envOf(peer: Peer, sample: Sample, { python, folder, port, setting }: Place): Record<string, string> {
  return {
    PATH: `${python}:${process.env['PATH'] ?? ''}`,
    PYTHONPATH: `${join(FOLDER, 'graph')}:${join(FOLDER, peer.name)}`,
    PYTHONDONTWRITEBYTECODE: '1',
    // Nobody phones home from a benchmark.
    BENTOML_DO_NOT_TRACK: 'True',
    MLFLOW_DISABLE_TELEMETRY: 'true',
    DO_NOT_TRACK: '1',
    // Libraries of arithmetic beside ONNX Runtime get one thread too.
    OMP_NUM_THREADS: '1',
    OPENBLAS_NUM_THREADS: '1',
    BENCH_MODEL: sample.path,
    BENCH_NAME: sample.model.name,
    BENCH_PORT: String(port),
    BENCH_FOLDER: join(folder, 'saved'),
    ...setting.env,
    ...peer.env?.(port),
  };
}

async function runToEnd(
  [program = '', ...args]: string[],
  env: Record<string, string>,
  ground: Ground,
): Promise<void> {
  let code: number | null = null;
  await using child = await Child.start({ program, args, env, onExit: ended => (code = ended) });
  await child.until(async () => code, 'its end', { boundMs: PREPARE_MS, signal: ground.signal });
  if (code !== 0) throw new Error(`it could not be prepared: ${child.lastWords.slice(-400)}`);
}

async function isReady(url: string): Promise<true | null> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await response.body?.cancel();
    return response.ok ? true : null;
  } catch {
    return null;
  }
}

/** Free a moment ago, with two more behind it that are most likely so. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise(resolve => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}
