import type { Datatype } from '@switchback-ml/schemas';

const NUMBER = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/;
const INTEGER = /^[-+]?\d+$/;
const LARGEST_FP32 = 3.4028234663852886e38;

/** Smallest and largest of each integer type; the 64-bit ones end where JSON numbers stop being exact. */
const RANGES: Partial<Record<Datatype, readonly [number, number]>> = {
  UINT8: [0, 255],
  UINT16: [0, 65_535],
  UINT32: [0, 2 ** 32 - 1],
  UINT64: [0, Number.MAX_SAFE_INTEGER],
  INT8: [-128, 127],
  INT16: [-32_768, 32_767],
  INT32: [-(2 ** 31), 2 ** 31 - 1],
  INT64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};

/** One cell of a table as an element of a tensor; null when it is none. Non-finite numbers are none. */
export function parseElement(text: string, datatype: Datatype): number | string | boolean | null {
  if (datatype === 'BYTES') return text;
  if (datatype === 'BOOL') return parseBoolean(text);
  const range = RANGES[datatype];
  if (range === undefined) return parseFloating(text, datatype);
  const value = Number(text);
  return INTEGER.test(text) && value >= range[0] && value <= range[1] ? value : null;
}

function parseFloating(text: string, datatype: Datatype): number | null {
  const value = Number(text);
  return NUMBER.test(text) && Number.isFinite(value) && !isTooLarge(value, datatype) ? value : null;
}

/** A half is rounded, so that what is no further away than half a step beyond the largest is that one. */
function isTooLarge(value: number, datatype: Datatype): boolean {
  if (datatype === 'FP16') return !Number.isFinite(Math.f16round(value));
  return datatype === 'FP32' && Math.abs(value) > LARGEST_FP32;
}

function parseBoolean(text: string): boolean | null {
  if (/^(?:true|1)$/i.test(text)) return true;
  return /^(?:false|0)$/i.test(text) ? false : null;
}
