/** The protocol's own objects, as far as the checks look into them. */
export interface Tensor {
  name: string;
  datatype: string;
  shape: number[];
}

export type Parameters = Record<string, string | number | boolean>;

export interface Input extends Tensor {
  parameters?: Parameters;
  data?: unknown[];
}

export interface InferRequest {
  id?: string;
  parameters?: Parameters;
  inputs: Input[];
  outputs?: { name: string; parameters?: Parameters }[];
}

export interface Output extends Tensor {
  parameters?: Parameters;
  data?: unknown[];
}

export interface InferAnswer {
  model_name: string;
  model_version?: string;
  id?: string;
  outputs: Output[];
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(item => typeof item === 'string');
}

/** What of it is no tensor of metadata, in one clause; null when nothing is. */
export function tensorFault(value: unknown): string | null {
  if (!isObject(value)) return 'it is no object';
  if (typeof value['name'] !== 'string') return '"name" is no string';
  if (typeof value['datatype'] !== 'string') return '"datatype" is no string';
  const { shape } = value;
  const isShape = Array.isArray(shape) && shape.every(size => Number.isSafeInteger(size) && size >= -1);
  return isShape ? null : '"shape" is no list of whole numbers of at least -1';
}

/** What of it is no answer to an inference request, in one clause; null when nothing is. */
export function answerFault(value: unknown): string | null {
  if (!isObject(value)) return 'it is no object';
  if (typeof value['model_name'] !== 'string') return '"model_name" is no string';
  if (!Array.isArray(value['outputs'])) return '"outputs" is no list';
  for (const output of value['outputs']) {
    const fault = tensorFault(output);
    if (fault !== null) return `of an output, ${fault}`;
  }
  return null;
}

/** How many elements a tensor of this shape has. */
export function countOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Flat and nested data alike. */
export function flat(data: readonly unknown[] | undefined): unknown[] {
  return (data ?? []).flat(Number.POSITIVE_INFINITY);
}
