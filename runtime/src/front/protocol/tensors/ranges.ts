import type { Datatype } from '@switchback-ml/schemas';

/** Bounds of the integers that a double holds exactly. */
export const INTEGERS: Partial<Record<Datatype, readonly [low: number, high: number]>> = {
  INT8: [-(2 ** 7), 2 ** 7 - 1],
  INT16: [-(2 ** 15), 2 ** 15 - 1],
  INT32: [-(2 ** 31), 2 ** 31 - 1],
  UINT8: [0, 2 ** 8 - 1],
  UINT16: [0, 2 ** 16 - 1],
  UINT32: [0, 2 ** 32 - 1],
};

/** Bounds of those that need 64 bits. */
export const LONGS: Partial<Record<Datatype, readonly [low: bigint, high: bigint]>> = {
  INT64: [-(2n ** 63n), 2n ** 63n - 1n],
  UINT64: [0n, 2n ** 64n - 1n],
};

/** The largest finite ones. What is a little larger still rounds to it; what is half a step larger is infinite. */
export const LARGEST_FLOAT16 = 2 ** 16 - 2 ** 5;
export const LARGEST_FLOAT32 = 2 ** 128 - 2 ** 104;
