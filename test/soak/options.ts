import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Duration } from '@switchback-ml/schemas';

export const USAGE =
  'soak [--for 2h] [--every 3m] [--per-second 30] [--seed 1] [--out <folder>] [--json]\n' +
  '  --for         how long\n' +
  '  --every       how often a version is changed and something is broken\n' +
  '  --per-second  requests a second into each environment, an equal share for each model\n' +
  '  --seed        of what is done and when; the same seed does the same\n' +
  '  --out         where soak.json and soak.html go (default: .cache/soak/<date>)\n' +
  '  --json        one line for programs';

export interface Options {
  forMs: number;
  everyMs: number;
  perSecond: number;
  seed: number;
  out: string;
  isJson: boolean;
}

/** Throws an Error with a sentence for whoever typed it. */
export function readOptions(args: readonly string[], root: string, now: Date): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      for: { type: 'string', default: '2h' },
      every: { type: 'string', default: '3m' },
      'per-second': { type: 'string', default: '30' },
      seed: { type: 'string', default: '1' },
      out: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  return {
    forMs: duration('--for', values.for),
    everyMs: duration('--every', values.every),
    perSecond: wholeNumber('--per-second', values['per-second'], 10_000),
    seed: wholeNumber('--seed', values.seed, 2 ** 32 - 1),
    out: values.out ?? join(root, '.cache', 'soak', stampOf(now)),
    isJson: values.json,
  };
}

function duration(name: string, text: string): number {
  const read = Duration.safeParse(text);
  if (read.success) return read.data;
  throw new Error(`${name}: must be a duration such as "30s", "5m" or "2h", not "${text}"`);
}

function wholeNumber(name: string, text: string, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= most) return value;
  throw new Error(`${name}: must be a whole number from 1 to ${most}, not "${text}"`);
}

/** `2026-03-01T12-30-05Z`: sorts by time, and is a file name everywhere. */
function stampOf(now: Date): string {
  return now
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(':', '-');
}
