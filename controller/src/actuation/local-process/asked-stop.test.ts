import { expect, test } from 'vitest';
import { AskedStop } from './asked-stop.ts';

test('a stop that was asked for is settled once it is carried out, for all who wait', async () => {
  const stop = new AskedStop();
  const settled: string[] = [];
  stop.ask('a test', undefined);

  const waiting = ['one', 'other'].map(who => stop.settled().then(() => settled.push(who)));
  await Promise.resolve();
  const before = [...settled];
  stop.carriedOut();
  await Promise.all(waiting);

  expect(before).toEqual([]);
  expect(settled).toEqual(['one', 'other']);
  expect(stop.isAsked).toBe(false);
});

test('nobody waits for a stop that nobody asked for, or that was given up', async () => {
  const stop = new AskedStop();
  await stop.settled();
  stop.ask('a test', undefined);
  const waiting = stop.settled();

  stop.giveUp();

  await expect(Promise.all([waiting, stop.settled()])).resolves.toHaveLength(2);
});

test('a stop that is asked for again has the newest reason, and hurries if it ever had to', () => {
  const stop = new AskedStop();
  const hurry = new AbortController();

  stop.ask('all were stopped', hurry.signal);
  stop.ask('is gone from git', undefined);
  const before = stop.isHurried;
  hurry.abort();

  expect([stop.reason, before, stop.isHurried]).toEqual(['is gone from git', false, true]);
  stop.carriedOut();
  stop.ask('a test', undefined);
  expect(stop.isHurried).toBe(false);
});
