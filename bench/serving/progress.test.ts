import { expect, test } from 'vitest';
import { Progress } from './progress.ts';

test('says what is under way, since when, and how long it goes on', async () => {
  let now = 1000;
  const lines: string[] = [];
  const progress = new Progress(
    line => lines.push(line),
    () => now,
  );
  const step = (what: string, estimateMs: number, tookMs: number) => ({
    what,
    estimateMs,
    run: async () => {
      now += tookMs / 2;
      progress.tell(`half of ${what}`);
      now += tookMs / 2;
    },
  });

  await progress.run([step('first', 60_000, 200_000), step('second', 30_000, 20_000)]);

  expect(lines).toEqual([
    '0:00  first  (about 1:30 to go)',
    '1:40  half of first  (about 0:30 to go)',
    '3:20  second  (about 0:30 to go)',
    '3:30  half of second  (about 0:20 to go)',
  ]);
});
