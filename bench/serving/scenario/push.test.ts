import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { pushVersions } from './push.ts';

test('a version that is pushed to a real remote is followed from the nudge to its first answer', async () => {
  const scratch = await mkdtemp(join(tmpdir(), 'switchback-bench-push-'));
  onTestFinished(() => rm(scratch, { recursive: true, force: true }));
  const told: string[] = [];
  const ground = {
    scratch,
    cache: scratch,
    signal: AbortSignal.timeout(50_000),
    tell: (words: string) => void told.push(words),
  };

  const { trails, asked, failed, pollMs } = await pushVersions(2, ground);

  expect(trails).toHaveLength(2);
  for (const { pushMs, seenMs, publishedMs, pulledMs, readyMs, answeredMs } of trails) {
    expect(pushMs).toBeGreaterThan(0);
    expect(seenMs).toBeGreaterThan(0);
    // Each is told in whole milliseconds, and one in those of another process's clock.
    expect(publishedMs).toBeGreaterThanOrEqual(seenMs - 2);
    expect(readyMs).toBeGreaterThanOrEqual(pulledMs);
    expect(pulledMs).toBeGreaterThan(seenMs);
    expect(answeredMs).toBeGreaterThan(readyMs - 2);
  }
  expect(asked).toBeGreaterThan(10);
  expect(failed).toBe(0);
  expect(pollMs).toBe(1000);
  expect(told.at(-1)).toMatch(/^push: 2 of 2, the last answered after \d+ ms$/);
});
