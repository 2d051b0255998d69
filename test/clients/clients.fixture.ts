import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child } from '../../bench/serving/subject/child.ts';
import { providePython } from '../../bench/serving/subject/python.ts';
import { ECHO_ROWS } from './echo-model.fixture.ts';
import type { Serving } from './serving.fixture.ts';

const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const CACHE = fileURLToPath(new URL('../../.cache', import.meta.url));
const PROGRAM_MS = 45_000;
/**
 * For a hook that starts a runtime and runs a program: beyond what the parts are bounded by together, so that a machine
 * which is busy decides nothing, and what does hang says itself what it was.
 */
export const SETUP_MS = 180_000;

/** What a client's program saw, by the names that it gave. */
export interface Seen {
  /** Throws what it was refused with, where it was. */
  value(name: string): unknown;
  /** Throws where it was not refused. */
  refusal(name: string): Refusal;
}

interface Refusal {
  /** Class of the exception that the client raised. */
  type: string;
  message: string;
  status?: string;
}

type Sight = { saw: string; value: unknown } | { saw: string; refused: Refusal };

/**
 * The folder with the programs of a Python that has the clients; it is made once. Null, and said aloud, where their
 * packages can't be had; in CI that is an error.
 */
export async function provideClients(): Promise<string | null> {
  const tell = (words: string): void => void process.stderr.write(`${words} …\n`);
  const signal = new AbortController().signal;
  try {
    await mkdir(CACHE, { recursive: true });
    return await providePython('clients', join(FOLDER, 'requirements.txt'), { cache: CACHE, tell, signal });
  } catch (error) {
    if (process.env['CI'] === 'true') throw error;
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`SKIPPED: the clients of other projects were not tried: ${reason}\n`);
    return null;
  }
}

/** Runs a program of this folder to its end against a runtime. Rejects where it did not come there. */
export async function lookWith(python: string, program: string, serving: Serving): Promise<Seen> {
  const sights = new Map<string, Sight>();
  let code: number | null = null;
  await using child = await Child.start({
    program: join(python, 'python'),
    args: ['-u', join(FOLDER, program)],
    env: {
      PYTHONDONTWRITEBYTECODE: '1',
      MLFLOW_DISABLE_TELEMETRY: 'true',
      SERVING_ADDRESS: serving.address,
      SERVING_GRPC_ADDRESS: serving.grpcAddress,
      SERVING_KEY: serving.key,
      SERVING_ECHO_ROWS: JSON.stringify(ECHO_ROWS),
    },
    onLine(line) {
      if (!line.startsWith('{"saw"')) return;
      const sight: Sight = JSON.parse(line);
      sights.set(sight.saw, sight);
    },
    onExit: ended => (code = ended),
  });
  const bound = { boundMs: PROGRAM_MS, signal: AbortSignal.timeout(PROGRAM_MS) };
  await child.until(async () => (sights.has('end') ? true : null), 'its end', bound);
  await child.until(async () => code, 'its exit', bound);
  const sight = (name: string): Sight => {
    const found = sights.get(name);
    if (found === undefined) throw new Error(`${program} saw no "${name}"`);
    return found;
  };
  return {
    value(name) {
      const found = sight(name);
      if ('value' in found) return found.value;
      throw new Error(`${program}: "${name}" was refused: ${found.refused.type}: ${found.refused.message}`);
    },
    refusal(name) {
      const found = sight(name);
      if ('refused' in found) return found.refused;
      throw new Error(`${program}: "${name}" was not refused: ${JSON.stringify(found.value)}`);
    },
  };
}
