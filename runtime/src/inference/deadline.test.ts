import { expect, test } from 'vitest';
import { deadlineOf } from './deadline.ts';

const call = (header?: string) => ({
  arrivedAt: 1000,
  message: { body: Buffer.alloc(0), header: () => header },
});

test.each<[string, string | undefined, number | null, number]>([
  ['nobody says anything', undefined, null, Number.POSITIVE_INFINITY],
  ['the body alone says it', undefined, 50, 1050],
  ['the header alone says it', '70', null, 1070],
  ['both say it, and the header sooner', '20', 50, 1020],
  ['both say it, and the body sooner', '70', 50, 1050],
  ['the header says what is no time', '-5', 50, 1050],
  ['the header says nothing sensible, nor does anybody else', '1e3', null, Number.POSITIVE_INFINITY],
])('a deadline where %s', (_, header, timeoutMs, deadline) => {
  expect(deadlineOf(call(header), { timeoutMs })).toBe(deadline);
});
