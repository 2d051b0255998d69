import type { Random } from './random.ts';

export const LARGEST_INPUT = 256 * 1024;
const NUMBERS = [
  '0',
  '-1',
  '1e999',
  '9007199254740993',
  '-9223372036854775808',
  '4294967296',
  '0x10',
  'NaN',
  '1.10',
];
const BYTES = [0x00, 0x0a, 0x0d, 0x1b, 0x22, 0x27, 0x3a, 0x5c, 0x7f, 0x80, 0xc0, 0xed, 0xff];

type Mutation = (input: Buffer, random: Random, others: readonly Buffer[]) => Buffer;

const MUTATIONS: readonly Mutation[] = [
  (input, random) => edited(input, at => at ^ (1 << random.below(8)), random),
  (input, random) => edited(input, () => random.pick(BYTES), random),
  (input, random) => edited(input, () => random.below(256), random),
  (input, random) => without(input, random),
  (input, random) => inserted(input, part(input, random), random),
  (input, random) => inserted(input, repeated(part(input, random), random), random),
  (input, random, others) => inserted(input, part(random.pick(others), random), random),
  (input, random, others) => crossed(input, random.pick(others), random),
  (input, random) => renumbered(input, random),
  (input, random) => input.subarray(0, random.below(input.length + 1)),
];

/**
 * A neighbour of an input: a few small changes, some of them with parts of other inputs or words of the language.
 *
 * @param words what has a meaning to the parser
 */
export function mutate(
  input: Buffer,
  random: Random,
  others: readonly Buffer[],
  words: readonly string[],
): Buffer {
  let mutated = input;
  for (let times = 1 + random.below(4); times > 0; times--) {
    const isWord = words.length > 0 && random.below(4) === 0;
    mutated = isWord
      ? inserted(mutated, Buffer.from(random.pick(words)), random)
      : random.pick(MUTATIONS)(mutated, random, others);
  }
  return Buffer.from(mutated.subarray(0, LARGEST_INPUT));
}

function edited(input: Buffer, change: (byte: number) => number, random: Random): Buffer {
  if (input.length === 0) return Buffer.from([random.below(256)]);
  const copy = Buffer.from(input);
  const at = random.below(copy.length);
  copy[at] = change(copy[at]!);
  return copy;
}

function without(input: Buffer, random: Random): Buffer {
  const from = random.below(input.length + 1);
  const to = Math.min(input.length, from + 1 + random.below(32));
  return Buffer.concat([input.subarray(0, from), input.subarray(to)]);
}

function inserted(input: Buffer, added: Buffer, random: Random): Buffer {
  const at = random.below(input.length + 1);
  return Buffer.concat([input.subarray(0, at), added, input.subarray(at)]);
}

function part(input: Buffer, random: Random): Buffer {
  const from = random.below(input.length + 1);
  return input.subarray(from, from + 1 + random.below(64));
}

/** Most often a few times; now and then so often that what is quadratic shows. */
function repeated(unit: Buffer, random: Random): Buffer {
  const times = random.below(20) === 0 ? 10_000 : 2 + random.below(30);
  const most = Math.floor(LARGEST_INPUT / Math.max(1, unit.length));
  return Buffer.concat(Array.from({ length: Math.min(times, most) }, () => unit));
}

function crossed(input: Buffer, other: Buffer, random: Random): Buffer {
  const from = other.subarray(random.below(other.length + 1));
  return Buffer.concat([input.subarray(0, random.below(input.length + 1)), from]);
}

function renumbered(input: Buffer, random: Random): Buffer {
  const text = input.toString('latin1');
  const numbers = [...text.matchAll(/-?\d+(?:\.\d+)?/g)];
  if (numbers.length === 0) return input;
  const { index, 0: found } = random.pick(numbers);
  const changed = text.slice(0, index) + random.pick(NUMBERS) + text.slice(index + found.length);
  return Buffer.from(changed, 'latin1');
}
