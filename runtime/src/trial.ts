import { readFile, stat } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { GoldenAnswers, type Signature } from '@switchback-ml/schemas';
import { findConfinement } from './engine/onnx/confinement.ts';
import { onnxEngines } from './engine/onnx/index.ts';
import type { Tensors } from './engine/tensor.ts';
import { asSwitchbackError, SwitchbackError } from './error.ts';
import { toTensors } from './loading/golden.ts';

/*
 * A throw-away process that opens one model as serving would, and says what it found as one line of JSON:
 * `{signature, outputs?}`, or `{error: {code, message}}` and exit code 1. For `switchback register`.
 */
const USAGE = 'trial.ts --model <file> [--rows <json file with inputs>]';
const TIMEOUT_MS = 60_000;
const MEMORY_BYTES = 4 * 2 ** 30;
const LARGEST_ROWS_BYTES = 64 * 2 ** 20;

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

async function trial({ model, rows }: { model: string; rows: string | undefined }): Promise<object> {
  const inputs = rows === undefined ? null : await readRows(rows);
  const start = onnxEngines(await findConfinement());
  await using engine = await start(AbortSignal.timeout(TIMEOUT_MS));
  const signature: Signature = await engine.load({
    path: model,
    memoryBytes: MEMORY_BYTES,
    timeoutMs: TIMEOUT_MS,
  });
  if (inputs === null) return { signature };
  return { signature, outputs: printable(await engine.infer(inputs, TIMEOUT_MS)) };
}

function readOptions(args: readonly string[]): { model: string; rows: string | undefined } {
  const option = { type: 'string' } as const;
  try {
    const { model, rows } = parseArgs({ args: [...args], options: { model: option, rows: option } }).values;
    if (model !== undefined) return { model, rows };
  } catch {
    // Said below, as for a missing option.
  }
  throw new SwitchbackError('E_USAGE', `Usage: ${USAGE}`);
}

async function readRows(path: string): Promise<Tensors> {
  const found = await stat(path).catch(() => null);
  if (found === null || found.size > LARGEST_ROWS_BYTES)
    throw new SwitchbackError('E_INPUT', 'The file of --rows is not there, or is larger than 64 MiB.');
  const text = await readFile(path, 'utf8');
  try {
    return toTensors(GoldenAnswers.shape.inputs.parse(JSON.parse(text).inputs));
  } catch (error) {
    const reason =
      error instanceof SwitchbackError ? error.message : 'it has no "inputs" as golden.json has them';
    throw new SwitchbackError('E_INPUT', `The file of --rows can not be used: ${reason}`, { cause: error });
  }
}

/** As in golden.json, but a NaN or an infinity is null: JSON has no word for them. */
function printable(outputs: Tensors): object {
  const entries = [...outputs].map(([name, { datatype, shape, data }]) => {
    const values = Array.from<string | number | bigint, unknown>(data, value =>
      printableElement(datatype, value),
    );
    return [name, { datatype, shape, data: values }];
  });
  return Object.fromEntries(entries);
}

function printableElement(datatype: string, value: string | number | bigint): unknown {
  if (datatype === 'BOOL') return value !== 0;
  return typeof value === 'bigint' ? Number(value) : value;
}
