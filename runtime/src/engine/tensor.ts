import type { Datatype } from '@switchback-ml/schemas';

/** How each fixed-size datatype lies in memory. BOOL is one byte, 0 or 1. */
export const ARRAYS = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Float16Array,
  FP32: Float32Array,
  FP64: Float64Array,
} as const satisfies Record<Exclude<Datatype, 'BYTES'>, unknown>;

export type FixedDatatype = keyof typeof ARRAYS;
export type FixedData = InstanceType<(typeof ARRAYS)[FixedDatatype]>;
/** BYTES are strings; everything else is a typed array. Row-major and flat. */
export type TensorData = FixedData | readonly string[];

export interface Tensor {
  datatype: Datatype;
  shape: readonly number[];
  data: TensorData;
}

/** By name. A map, because a graph may call a tensor `__proto__`. */
export type Tensors = ReadonlyMap<string, Tensor>;

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((count, dimension) => count * dimension, 1);
}

/** A typed array of `length` zeros, or a list of empty strings. */
export function makeData(datatype: Datatype, length: number): FixedData | string[] {
  return datatype === 'BYTES' ? new Array<string>(length).fill('') : new ARRAYS[datatype](length);
}

/** Rows `from` up to `to` of the first dimension, sharing memory where the datatype allows it. */
export function sliceRows(tensor: Tensor, from: number, to: number): Tensor {
  const [rows = 0, ...rest] = tensor.shape;
  const perRow = rows === 0 ? 0 : tensor.data.length / rows;
  const { data } = tensor;
  const part = isFixed(data)
    ? data.subarray(from * perRow, to * perRow)
    : data.slice(from * perRow, to * perRow);
  return { datatype: tensor.datatype, shape: [to - from, ...rest], data: part };
}

export function isFixed(data: TensorData): data is FixedData {
  return ArrayBuffer.isView(data);
}
