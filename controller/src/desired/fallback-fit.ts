import type { Datatype, ServingSettings, Signature, TensorSpec } from '@switchback-ml/schemas';
import { hint, nearest } from './nearest.ts';
import type { Doubt } from './settings-doubts.ts';

/** A part of the answer to fall back on that is no answer of the version. */
export interface Misfit extends Doubt {
  code: 'E_REFERENCE' | 'E_SETTINGS';
}

type Value = number | string;

/**
 * Why the answer that stands in for every version is not one that this version could give: callers would get names,
 * types or lengths that its signature does not promise, at the worst of times. Empty: it fits.
 */
export function misfits({ fallback }: ServingSettings, { outputs }: Signature): Misfit[] {
  if (!fallback) return [];
  const names = Object.keys(outputs);
  return [
    ...Object.entries(fallback.outputs).flatMap(([name, values]) => {
      const spec = Object.hasOwn(outputs, name) ? outputs[name] : undefined;
      return (spec ? misfitOf(name, values, spec) : unknownOutput(name, names)) ?? [];
    }),
    ...names.filter(name => !Object.hasOwn(fallback.outputs, name)).map(missingOutput),
  ];
}

function unknownOutput(name: string, names: readonly string[]): Misfit {
  return {
    code: 'E_REFERENCE',
    field: ['fallback', 'outputs', name],
    message: `"${name}" is no output of the version`,
    remedy: hint(nearest(name, names), `There are: ${names.slice(0, 5).join(', ')}.`),
  };
}

function missingOutput(name: string): Misfit {
  return {
    code: 'E_SETTINGS',
    field: ['fallback', 'outputs'],
    message: `says nothing of output "${name}", which callers read`,
    remedy: `Add ${name}, or remove the fallback.`,
  };
}

function misfitOf(name: string, values: readonly Value[], { datatype, shape }: TensorSpec): Misfit | null {
  const misfit = { code: 'E_SETTINGS' as const, field: ['fallback', 'outputs', name] };
  const count = elementsInRow(shape);
  if (count === null)
    return {
      ...misfit,
      message: `has the shape [${shape.join(', ')}], of which each request chooses more than its rows`,
      remedy: 'No one answer fits such an output: remove the fallback.',
    };
  if (values.length !== count)
    return {
      ...misfit,
      message: `has ${values.length} values, and one row of it, [${shape.join(', ')}], has ${count}`,
      remedy: `Say one row: ${count} of ${datatype}.`,
    };
  const wrong = values.find(value => !isOf(datatype, value));
  if (wrong === undefined) return null;
  return {
    ...misfit,
    message: `${JSON.stringify(wrong).slice(0, 60)} is no ${datatype}`,
    remedy: `Write ${RANGES[datatype].words}.`,
  };
}

/** The first dimension is of rows where each request chooses it. Null: another is chosen too. */
function elementsInRow(shape: readonly number[]): number | null {
  const row = shape[0] === -1 ? shape.slice(1) : shape;
  return row.includes(-1) ? null : row.reduce((product, size) => product * size, 1);
}

function isOf(datatype: Datatype, value: Value): boolean {
  const { low, high, isWhole } = RANGES[datatype];
  if (typeof value === 'string') return datatype === 'BYTES';
  return value >= low && value <= high && (!isWhole || Number.isInteger(value));
}

interface Range {
  low: number;
  high: number;
  isWhole: boolean;
  words: string;
}

const RANGES: Readonly<Record<Datatype, Range>> = {
  BOOL: { low: 0, high: 1, isWhole: true, words: 'true or false' },
  UINT8: whole(0, 2 ** 8 - 1),
  UINT16: whole(0, 2 ** 16 - 1),
  UINT32: whole(0, 2 ** 32 - 1),
  // Beyond these a number of a manifest is not the one that was written.
  UINT64: whole(0, Number.MAX_SAFE_INTEGER),
  INT8: whole(-(2 ** 7), 2 ** 7 - 1),
  INT16: whole(-(2 ** 15), 2 ** 15 - 1),
  INT32: whole(-(2 ** 31), 2 ** 31 - 1),
  INT64: whole(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  FP16: real(65_504),
  FP32: real((2 - 2 ** -23) * 2 ** 127),
  FP64: real(Number.MAX_VALUE),
  BYTES: { low: 1, high: 0, isWhole: false, words: 'a text, in quotes' },
};

function whole(low: number, high: number): Range {
  return { low, high, isWhole: true, words: `a whole number from ${low} to ${high}` };
}

function real(high: number): Range {
  return { low: -high, high, isWhole: false, words: `a number from ${-high} to ${high}` };
}
