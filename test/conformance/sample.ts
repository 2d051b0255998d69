import { countOf, type InferRequest, type Input, type Tensor } from './v2.ts';

/** A request that a model with these inputs should take: ones, and 1 for each dimension that is left open. */
export function sampleOf(inputs: readonly Tensor[]): InferRequest {
  return { inputs: inputs.map(input => filled(input, 1)) };
}

/** The same with that many rows; null where an input's first dimension is fixed. */
export function sampleRows(inputs: readonly Tensor[], rows: number): InferRequest | null {
  const isOpen = inputs.length > 0 && inputs.every(({ shape }) => shape[0] === -1);
  return isOpen ? { inputs: inputs.map(input => filled(input, rows)) } : null;
}

function filled({ name, datatype, shape }: Tensor, rows: number): Input {
  const whole = shape.map((size, dimension) => (size !== -1 ? size : dimension === 0 ? rows : 1));
  return { name, datatype, shape: whole, data: Array(countOf(whole)).fill(one(datatype)) };
}

function one(datatype: string): unknown {
  if (datatype === 'BOOL') return true;
  return datatype === 'BYTES' ? '1' : 1;
}
