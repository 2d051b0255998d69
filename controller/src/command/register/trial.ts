import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
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
const LAST_WORDS_CHARS = 4000;
const LONGEST_SAYING_CHARS = 300;

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

/**
 * What the graph answers to `rows`, by output. Throws E_MODEL_SIGNATURE when it is not the graph of `signature` any
 * more, and E_MODEL_GOLDEN when it answers otherwise, by more than `tolerance`, the second time or in other company.
 */
export async function askGraph(
  model: string,
  { signature, rows, tolerance }: { signature: Signature; rows: Rows; tolerance: number },
  signal: AbortSignal,
): Promise<Readonly<Record<string, GraphAnswer>>> {
  const folder = await mkdtemp(join(tmpdir(), 'switchback-trial-'));
  try {
    const [asked, declared] = [join(folder, 'rows.json'), join(folder, 'signature.json')];
    await writeFile(asked, JSON.stringify({ inputs: rows }));
    await writeFile(declared, JSON.stringify(signature));
    const args = ['--rows', asked, '--signature', declared, '--tolerance', String(tolerance)];
    return (await tryModel(['--model', model, ...args], signal)).outputs ?? {};
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Whether this installation can try a graph at all: the runtime may be left out of it. */
export function canTry(): boolean {
  return existsSync(PROGRAM);
}

/**
 * Takes a version through everything that it goes through before it serves. Throws what a runtime would refuse it
 * with: E_MODEL_LOAD, E_MODEL_SIGNATURE, E_MODEL_GOLDEN, E_ENGINE_MEMORY.
 */
export async function tryVersion(
  {
    model,
    golden,
    signature,
    tolerance,
  }: { model: string; golden: string; signature: Signature; tolerance?: number },
  signal: AbortSignal,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'switchback-trial-'));
  try {
    const declared = join(folder, 'signature.json');
    await writeFile(declared, JSON.stringify(signature));
    const close = tolerance === undefined ? [] : ['--tolerance', String(tolerance)];
    await tryModel(['--model', model, '--signature', declared, '--golden', golden, ...close], signal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function tryModel(args: readonly string[], signal: AbortSignal): Promise<z.infer<typeof Trial>> {
  const { output, lastWords, end } = await runTrial(args, signal);
  const value = lastJson(output);
  const refusal = Refusal.safeParse(value);
  if (refusal.success) {
    const { code, message } = refusal.data.error;
    throw new SwitchbackError(ERROR_CODES.find(known => known === code) ?? 'E_MODEL_LOAD', message);
  }
  const trial = Trial.safeParse(value);
  if (trial.success) return trial.data;
  throw new SwitchbackError('E_MODEL_LOAD', `The model could not be tried: ${end}${sayingOf(lastWords)}.`, {
    cause: trial.error,
  });
}

/** The line that names the error of a process that broke down, without the places of its code. */
export function sayingOf(lastWords: string): string {
  const lines = lastWords.split('\n').map(line => line.trim());
  const line = lines.findLast(text => /^(?:\w*Error\b|FATAL)/.test(text)) ?? lines.at(-1) ?? '';
  const words = line
    .replaceAll(/(?:file:\/\/)?(?:\/[^\s/:'"]+){2,}\/?/g, 'a file')
    .slice(0, LONGEST_SAYING_CHARS);
  return words === '' ? '' : ` and said: ${words}`;
}

function lastJson(output: string): unknown {
  try {
    return JSON.parse(output.trim().split('\n').at(-1) ?? '');
  } catch {
    return null;
  }
}

interface Run {
  output: string;
  lastWords: string;
  /** How it ended, as a clause. */
  end: string;
}

/** Ends the process when it hangs or talks too much; resolves when it is gone. */
function runTrial(args: readonly string[], signal: AbortSignal): Promise<Run> {
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
    child.on('close', (code, ending) => {
      if (signal.aborted) return reject(signal.reason);
      if (bound.aborted) return reject(tooLong());
      if (failure !== null) return reject(notStarted(failure));
      const end =
        ending === null ? `its process ended with code ${code}` : `its process was ended by ${ending}`;
      resolve({ output: Buffer.concat(output).toString('utf8'), lastWords: lastWords.trim(), end });
    });
  });
}

function tooLong(): SwitchbackError {
  const seconds = TIMEOUT_MS / 1000;
  return new SwitchbackError('E_ENGINE_TIMEOUT', `The model did not answer its rows within ${seconds} s.`);
}

function notStarted(error: unknown): SwitchbackError {
  const { code = messageOf(error) } = error as NodeJS.ErrnoException;
  const message = `The model could not be tried: its process could not be started (${code}). Look at the machine's limits of processes and memory.`;
  return new SwitchbackError('E_MODEL_LOAD', message, { cause: error });
}
