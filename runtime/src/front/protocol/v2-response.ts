import { type Backend, type Datatype, NON_FINITE_PARAMETER } from '@switchback-ml/schemas';
import type { Tensor, TensorData, Tensors } from '../../engine/tensor.ts';
import type { V2Request } from './v2-request.ts';

export interface V2Answer {
  model: string;
  backend: Backend;
  outputs: Tensors;
  /** Names of the outputs that hold a NaN or an infinity. */
  nonFinite: readonly string[];
}

/** The protocol's body as text, written directly: building the object first would cost as much again. */
export function printResponse({ id, outputs: asked }: V2Request, answer: V2Answer): string {
  const { model, backend, outputs, nonFinite } = answer;
  const names = asked ?? [...outputs.keys()];
  const printed = names.map(name => printOutput(name, outputs.get(name)!, nonFinite.includes(name)));
  const head = `"model_name":${JSON.stringify(model)},"model_version":${JSON.stringify(backend.version)}`;
  const echo = id === undefined ? '' : `,"id":${JSON.stringify(id)}`;
  return `{${head}${echo},"outputs":[${printed.join()}]}`;
}

function printOutput(name: string, { datatype, shape, data }: Tensor, isNonFinite: boolean): string {
  const parameters = isNonFinite ? `,"parameters":{"${NON_FINITE_PARAMETER}":true}` : '';
  const head = `"name":${JSON.stringify(name)},"shape":[${shape.join()}],"datatype":"${datatype}"`;
  return `{${head}${parameters},"data":[${printData(datatype, data)}]}`;
}

function printData(datatype: Datatype, data: TensorData): string {
  const print = PRINTERS[datatype] ?? String;
  const texts = new Array<string>(data.length);
  for (let index = 0; index < data.length; index++) texts[index] = print(data[index] as never);
  return texts.join();
}

/** Whole numbers of 64 bits are printed to the last digit; it is for the reader not to round them. */
const PRINTERS: Partial<Record<Datatype, (value: never) => string>> = {
  FP32: printFloat32,
  FP64: (value: number) => (Number.isFinite(value) ? String(value) : 'null'),
  BOOL: (value: number) => (value === 0 ? 'false' : 'true'),
  BYTES: (value: string) => JSON.stringify(value),
};

/** The shortest text that reads back as the same 32-bit number: `0.1`, not `0.10000000149011612`. */
function printFloat32(value: number): string {
  if (Number.isInteger(value)) return String(value);
  if (!Number.isFinite(value)) return 'null';
  for (let digits = 7; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(9)));
}
