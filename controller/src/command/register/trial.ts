import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Datatype, ERROR_CODES, type GoldenTensor, Signature, TensorName } from '@switchback-ml/schemas';
import { z } from 'zod';
import { messageOf, SwitchbackError } from '../../error.ts';

/** By path and as a process of its own: the graph is foreign, and the controller never imports the runtime. */
const PROGRAM = fileURLToPath(new URL('../../../../runtime/src/trial.ts', import.meta.url));
const TIMEOUT_MS = 120_000;
const LARGEST_OUTPUT_BYTES = 256 * 2 ** 20;
const LAST_WORDS_CHARS = 2000;

/** A graph's answer: what is not finite is null in JSON. */
const Answer = z.object({
  datatype: Datatype,
  shape: z.array(z.int().nonnegative()),
  data: z.array(z.union([z.number(), z.string(), z.boolean(), z.null()])),
});
export type GraphAnswer = z.infer<typeof Answer>;

const Trial = z.object({ signature: Signature, outputs: z.record(TensorName, Answer).optional() });
const Refusal = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

export type Rows = Readonly<Record<string, GoldenTensor>>;

/** The signature as the graph itself has it. Throws E_MODEL_LOAD when the file is no usable graph. */
export async function readSignature(model: string, signal: AbortSignal): Promise<Signature> {
  return (await tryModel(['--model', model], signal)).signature;
}

/** What the graph answers to `rows`, by output. */
export async function askGraph(
  model: string,
  rows: Rows,
  signal: AbortSignal,
): Promise<Readonly<Record<string, GraphAnswer>>> {
  const folder = await mkdtemp(join(tmpdir(), 'switchback-trial-'));
  try {
    const file = join(folder, 'rows.json');
    await writeFile(file, JSON.stringify({ inputs: rows }));
    return (await tryModel(['--model', model, '--rows', file], signal)).outputs ?? {};
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function tryModel(args: readonly string[], signal: AbortSignal): Promise<z.infer<typeof Trial>> {
  const { output, lastWords } = await runTrial(args, signal);
  const value = lastJson(output);
  const refusal = Refusal.safeParse(value);
  if (refusal.success) {
    const { code, message } = refusal.data.error;
    throw new SwitchbackError(ERROR_CODES.find(known => known === code) ?? 'E_MODEL_LOAD', message);
  }
  const trial = Trial.safeParse(value);
  if (trial.success) return trial.data;
  const said = lastWords === '' ? 'it said nothing' : lastWords;
  throw new SwitchbackError('E_MODEL_LOAD', `The model could not be tried: ${said}`, { cause: trial.error });
}

function lastJson(output: string): unknown {
  try {
    return JSON.parse(output.trim().split('\n').at(-1) ?? '');
  } catch {
    return null;
  }
}

/** Ends the process when it hangs or talks too much; resolves when it is gone. */
function runTrial(
  args: readonly string[],
  signal: AbortSignal,
): Promise<{ output: string; lastWords: string }> {
  return new Promise((resolve, reject) => {
    const bound = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], TMPDIR: tmpdir() },
      signal: bound,
      killSignal: 'SIGKILL',
    });
    const output: Buffer[] = [];
    let sizeBytes = 0;
    let lastWords = '';
    let failure: unknown = null;
    child.stdin.on('error', () => {});
    child.stdout.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.byteLength;
      if (sizeBytes > LARGEST_OUTPUT_BYTES) child.kill('SIGKILL');
      else output.push(chunk);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      lastWords = (lastWords + text).slice(-LAST_WORDS_CHARS);
    });
    child.on('error', error => {
      failure = error;
    });
    child.on('close', () => {
      if (signal.aborted) return reject(signal.reason);
      if (bound.aborted) return reject(tooLong());
      if (failure !== null) return reject(notStarted(failure));
      resolve({ output: Buffer.concat(output).toString('utf8'), lastWords: lastWords.trim() });
    });
  });
}

function tooLong(): SwitchbackError {
  const seconds = TIMEOUT_MS / 1000;
  return new SwitchbackError('E_ENGINE_TIMEOUT', `The model did not answer its rows within ${seconds} s.`);
}

function notStarted(error: unknown): SwitchbackError {
  return new SwitchbackError('E_MODEL_LOAD', `The model could not be tried: ${messageOf(error)}`, {
    cause: error,
  });
}
