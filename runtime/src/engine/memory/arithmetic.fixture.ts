import type { Arithmetic } from './index.ts';

/** The same model as the ONNX fixture of this name. */
export function ratioArithmetic(): Arithmetic {
  const column = { datatype: 'FP32' as const, shape: [-1, 1] };
  return {
    signature: { inputs: { numerator: column, denominator: column }, outputs: { ratio: column } },
    divide: { numerator: 'numerator', denominator: 'denominator', into: 'ratio' },
    hangsAbove: 1e6,
  };
}
