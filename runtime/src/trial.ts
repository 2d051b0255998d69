import { readFile, stat } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { GoldenAnswers, Signature } from '@switchback-ml/schemas';
import type { Engine } from './engine/engine.ts';
import { findConfinement } from './engine/onnx/confinement.ts';
import { onnxEngines } from './engine/onnx/index.ts';
import type { Tensor, Tensors } from './engine/tensor.ts';
import { asSwitchbackError, messageOf, SwitchbackError } from './error.ts';
import { DEFAULT_TOLERANCE, goldenPortions, joinRows, toTensors } from './loading/golden.ts';
import { askAgain, prepareEngine, refuseOtherSignature } from './loading/prepare.ts';
import { preflight } from './preflight/preflight.ts';

/*
 * A throw-away process that tries one model as serving would, and says what it found as one line of JSON:
 * `{signature, graph, outputs?}`, or `{error: {code, message}}` and exit code 1. For `switchback register`.
 */
const USAGE =
  'trial.ts --model <file> [--signature <json file>] [--golden <golden.json> | --rows <json file with inputs>] ' +
  '[--tolerance <number>] [--memory <bytes>] [--timeout <ms>]';
const DEFAULT_TIMEOUT_MS = 60_000;
const START_TIMEOUT_MS = 60_000;
const DEFAULT_MEMORY_BYTES = 4 * 2 ** 30;
/** As many rows as serving hands over at once, where its settings say nothing else. */
const BATCH_ROWS = 64;
const LARGEST_FILE_BYTES = 64 * 2 ** 20;

interface Options {
  model: string;
  signature: string | undefined;
  golden: string | undefined;
  rows: string | undefined;
  tolerance: number | undefined;
  memoryBytes: number;
  /** For each step: to load, to answer a batch. */
  timeoutMs: number;
}

const { line, code } = await attempt(process.argv.slice(2));
process.stdout.write(`${JSON.stringify(line)}\n`, () => process.exit(code));

async function attempt(args: readonly string[]): Promise<{ line: object; code: number }> {
  try {
    return { line: await trial(readOptions(args)), code: 0 };
  } catch (error) {
    const { code, message } = asSwitchbackError(error);
    return { line: { error: { code, message } }, code: 1 };
  }
}

/** Cheapest first: nothing is opened before its bytes were looked at, nothing asked before it is what was declared. */
async function trial(options: Options): Promise<object> {
  const { model, memoryBytes, timeoutMs } = options;
  const graph = preflight(model);
  const declared = options.signature === undefined ? null : await readDeclared(options.signature);
  const rows = options.rows === undefined ? null : await readRows(options.rows);
  const start = onnxEngines(await findConfinement());
  await using engine = await start(AbortSignal.timeout(START_TIMEOUT_MS));
  if (options.golden !== undefined) {
    const signature = declared ?? missing('--golden also needs --signature');
    await expectFile('--golden', options.golden);
    await prepare(engine, { ...options, golden: options.golden }, signature);
    return { signature, graph };
  }
  const signature = await engine.load({ path: model, memoryBytes, timeoutMs });
  if (declared !== null) refuseOtherSignature(declared, signature);
  if (rows === null) return { signature, graph };
  const outputs = await answer(engine, rows, signature, timeoutMs);
  const { tolerance = DEFAULT_TOLERANCE } = options;
  await askAgain(engine, { inputs: rows, outputs }, { signature, tolerance, timeoutMs });
  return { signature, graph, outputs: printable(outputs) };
}

/** Everything that a version goes through before it serves. */
async function prepare(
  engine: Engine,
  { model, golden, tolerance, memoryBytes, timeoutMs }: Options & { golden: string },
  signature: Signature,
): Promise<void> {
  const limits = { memoryBytes, maxBatch: BATCH_ROWS };
  const demands = { signature, limits, artifacts: { 'golden.json': { tolerance } } };
  await prepareEngine(engine, demands, { model, golden }, true, timeoutMs);
}

async function answer(
  engine: Engine,
  inputs: Tensors,
  signature: Signature,
  timeoutMs: number,
): Promise<Tensors> {
  const answers: Tensors[] = [];
  for (const portion of goldenPortions({ inputs, outputs: new Map() }, signature, BATCH_ROWS))
    answers.push(await engine.infer(portion.inputs, timeoutMs));
  return joinRows(answers);
}

function readOptions(args: readonly string[]): Options {
  const option = { type: 'string' } as const;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        model: option,
        signature: option,
        golden: option,
        rows: option,
        tolerance: option,
        memory: option,
        timeout: option,
      },
    });
    return {
      model: values.model ?? missing('--model is required'),
      signature: values.signature,
      golden: values.golden,
      rows: values.rows,
      tolerance: readNumber('--tolerance', values.tolerance),
      memoryBytes: readNumber('--memory', values.memory) ?? DEFAULT_MEMORY_BYTES,
      timeoutMs: readNumber('--timeout', values.timeout) ?? DEFAULT_TIMEOUT_MS,
    };
  } catch (error) {
    if (error instanceof SwitchbackError) throw error;
    throw new SwitchbackError('E_USAGE', `Usage: ${USAGE}`, { cause: error });
  }
}

function readNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  return value > 0 && Number.isFinite(value) ? value : missing(`${option} takes a number above 0`);
}

function missing(what: string): never {
  throw new SwitchbackError('E_USAGE', `${what}. Usage: ${USAGE}`);
}

async function readRows(path: string): Promise<Tensors> {
  return await readJson('--rows', path, value =>
    toTensors(GoldenAnswers.shape.inputs.parse((value as { inputs?: unknown }).inputs)),
  );
}

async function readDeclared(path: string): Promise<Signature> {
  return await readJson('--signature', path, value => Signature.parse(value));
}

async function readJson<Value>(
  option: string,
  path: string,
  parse: (value: unknown) => Value,
): Promise<Value> {
  await expectFile(option, path);
  const text = await readFile(path, 'utf8');
  try {
    return parse(JSON.parse(text));
  } catch (error) {
    const reason =
      error instanceof SwitchbackError ? error.message : `it is of another form: ${messageOf(error)}`;
    throw new SwitchbackError('E_INPUT', `The file of ${option} can not be used: ${reason}`, {
      cause: error,
    });
  }
}

async function expectFile(option: string, path: string): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (found?.isFile() && found.size <= LARGEST_FILE_BYTES) return;
  throw new SwitchbackError('E_INPUT', `The file of ${option} is not there, or is larger than 64 MiB.`);
}

/** As in golden.json, but a NaN or an infinity is null: JSON has no word for them. */
function printable(outputs: Tensors): object {
  return Object.fromEntries([...outputs].map(([name, tensor]) => [name, printableTensor(tensor)]));
}

function printableTensor({ datatype, shape, data }: Tensor): object {
  const values = Array.from<string | number | bigint, unknown>(data, value => {
    if (datatype === 'BOOL') return value !== 0;
    return typeof value === 'bigint' ? Number(value) : value;
  });
  return { datatype, shape, data: values };
}
