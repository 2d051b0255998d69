import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ArtifactDigest, type Backend, RevisionId, VersionDigest } from '@switchback-ml/schemas';
import { Child } from '../../bench/serving/subject/child.ts';
import { startController, TOKEN } from '../../runtime/src/controller.fixture.ts';
import { BYTES, ratioVersion, sha256, snapshotOf } from '../../runtime/src/serving.fixture.ts';
import {
  ECHO_ROWS,
  ECHOED,
  type EchoedDatatype,
  echoModel,
  echoSignature,
  named,
  TYPED,
} from './echo-model.fixture.ts';

const MAIN = fileURLToPath(new URL('../../runtime/src/main.ts', import.meta.url));
const START_MS = 60_000;

/** A runtime as it is started in earnest, to which somebody else's program may speak. */
export interface Serving extends AsyncDisposable {
  /** `http://127.0.0.1:4181` */
  address: string;
  /** `127.0.0.1:4182` */
  grpcAddress: string;
  /** May call. */
  key: string;
}

/**
 * Serves `ratio`, whose version 1.0.0 answers and whose 1.1.0 is loaded beside it, `echo`, and the
 * same for what goes as typed contents. Resolves once all of
 * them are ready.
 */
export async function startServing(): Promise<Serving> {
  await using parts = new AsyncDisposableStack();
  const controller = parts.use(await startController());
  const key = randomBytes(24).toString('hex');
  const versions = [
    ratioVersion({ label: '1.0.0', model: BYTES.onnx() }),
    ratioVersion({ label: '1.1.0', model: BYTES.onnx(), weight: 0 }),
    echoVersion(ECHOED),
    echoVersion(TYPED),
  ];
  for (const { objects } of versions)
    for (const [digest, bytes] of objects) controller.objects.set(digest, bytes);
  const [first, second, echo, typed] = versions.map(({ backend }) => backend);
  controller.publish(snapshotOf({ ratio: [first!, second!], echo: [echo!], 'echo-typed': [typed!] }, [key]));
  const folder = await mkdtemp(join(tmpdir(), 'switchback-clients-'));
  parts.defer(() => rm(folder, { recursive: true, force: true }));
  const { child, address, grpcAddress } = await startProcess(controller.address, folder);
  parts.use(child);
  const bound = { boundMs: START_MS, signal: AbortSignal.timeout(START_MS) };
  for (const path of ['ratio/versions/1.0.0', 'ratio/versions/1.1.0', 'echo', 'echo-typed'])
    await child.until(() => isReady(`${address}/v2/models/${path}/ready`, key), `${path} to be ready`, bound);
  const owned = parts.move();
  return { address, grpcAddress, key, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

interface Started {
  child: Child;
  address: string;
  grpcAddress: string;
}

async function startProcess(controller: string, folder: string): Promise<Started> {
  const [state, tokenFile] = [join(folder, 'state'), join(folder, 'token')];
  await mkdir(state);
  await writeFile(tokenFile, TOKEN);
  const options = { environment: 'test', controller, state, 'token-file': tokenFile, 'grpc-port': '0' };
  const args = [MAIN, ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])];
  let listening: Omit<Started, 'child'> | null = null;
  const onLine = (line: string): void => {
    if (line.includes('runtime is listening')) listening = JSON.parse(line);
  };
  const child = await Child.start({ program: process.execPath, args, onLine });
  try {
    const bound = { boundMs: START_MS, signal: AbortSignal.timeout(START_MS) };
    const { address, grpcAddress } = await child.until(async () => listening, 'its address', bound);
    return { child, address, grpcAddress };
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
}

async function isReady(url: string, key: string): Promise<true | null> {
  const headers = { authorization: `Bearer ${key}` };
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(5000) });
  await response.body?.cancel();
  return response.ok ? true : null;
}

/** Of `ECHO_ROWS`, which are its golden rows too. */
function echoVersion(datatypes: readonly EchoedDatatype[]): {
  backend: Backend;
  objects: Map<string, Uint8Array>;
} {
  const tensors = (suffix: string): object =>
    Object.fromEntries(
      datatypes.map(datatype => [
        named(datatype, suffix),
        { datatype, shape: [2, 2], data: ECHO_ROWS[datatype] },
      ]),
    );
  const files = {
    'model.onnx': echoModel(datatypes),
    'golden.json': Buffer.from(JSON.stringify({ inputs: tensors('in'), outputs: tensors('out') })),
  };
  const artifacts = Object.fromEntries(
    Object.entries(files).map(([name, bytes]) => [
      name,
      { sha256: ArtifactDigest.parse(sha256(bytes)), size: bytes.byteLength },
    ]),
  );
  const { backend } = ratioVersion();
  return {
    backend: {
      ...backend,
      revision: RevisionId.parse('ec40ec40ec40-ec40ec40'),
      digest: VersionDigest.parse(`sha256:${sha256(Buffer.from('echo'))}`),
      artifacts,
      signature: echoSignature(datatypes),
    },
    objects: new Map(Object.values(files).map(bytes => [sha256(bytes), bytes])),
  };
}
