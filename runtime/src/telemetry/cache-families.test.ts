import { METRICS } from '@switchback-ml/schemas';
import { describe, expect, test } from 'vitest';
import { hasRedis, startRedis } from '../cache/redis/server.fixture.ts';
import { cacheOf, isAsked } from '../cache/redis/used.fixture.ts';
import { steppedClock } from '../clock.fixture.ts';
import { eventually } from '../serving.fixture.ts';
import { cacheFamilies, MOST_REVISIONS } from './cache-families.ts';
import { cacheReport, revisionReport } from './cache-report.fixture.ts';
import { makeMetrics } from './metrics.ts';
import { REVISION } from './served.fixture.ts';

const seriesOf = (report: ReturnType<typeof cacheReport> | null, name: string) => [
  ...cacheFamilies(() => report)
    .find(family => family.name === name)!
    .collect(),
];

test('what is remembered and what was forgotten is told, in base units', () => {
  const report = cacheReport();

  expect(seriesOf(report, METRICS.cacheEntries)).toEqual([[{}, 2]]);
  expect(seriesOf(report, METRICS.cacheBytes)).toEqual([[{}, 3000]]);
  expect(seriesOf(report, METRICS.cacheBudget)).toEqual([[{}, 2 ** 20]]);
  expect(seriesOf(report, METRICS.cacheForgotten)).toEqual([
    [{ reason: 'room' }, 2],
    [{ reason: 'age' }, 3],
    [{ reason: 'too-large' }, 1],
  ]);
  expect(seriesOf(report, METRICS.cacheRevisionBytes)).toEqual([
    [{ model: 'fraud', revision: REVISION }, 3000],
  ]);
});

test('of Redis it is told how reading and writing stand, how long it takes, and what came of each try', () => {
  const report = cacheReport();

  expect(seriesOf(report, METRICS.redisState)).toEqual([
    [{ use: 'reading', state: 'closed' }, 1],
    [{ use: 'reading', state: 'open' }, 0],
    [{ use: 'reading', state: 'probing' }, 0],
    [{ use: 'writing', state: 'closed' }, 0],
    [{ use: 'writing', state: 'open' }, 1],
    [{ use: 'writing', state: 'probing' }, 0],
  ]);
  expect(seriesOf(report, METRICS.redisRoundTrip)).toEqual([[{}, 0.0005]]);
  expect(
    Object.fromEntries(seriesOf(report, METRICS.redisLookups).map(([{ result }, n]) => [result, n])),
  ).toEqual({
    found: 5,
    absent: 6,
    failed: 7,
    'not-asked': 8,
    malformed: 0,
    'too-large': 0,
    foreign: 0,
    forged: 12,
    expired: 0,
  });
  expect(seriesOf(report, METRICS.redisWrites)).toEqual([
    [{ result: 'written' }, 9],
    [{ result: 'dropped' }, 11],
  ]);
  expect(seriesOf(report, METRICS.redisWritesPending)).toEqual([[{}, 10]]);
});

test('whether Redis is asked for a revision is told with the reason', () => {
  const idle = { isAsked: false, why: 'too-cheap', reason: 'making one is quicker' } as const;
  const report = cacheReport([revisionReport(), revisionReport({ revision: 'other', far: idle })]);

  expect(seriesOf(report, METRICS.redisAsked)).toEqual([
    [{ model: 'fraud', revision: REVISION, reason: 'pays' }, 1],
    [{ model: 'fraud', revision: 'other', reason: 'too-cheap' }, 0],
  ]);
});

test('without a Redis nothing is told of one, and without a cache nothing at all', () => {
  const alone = { ...cacheReport([revisionReport({ far: null })]), far: null };

  const named = cacheFamilies(() => alone).filter(family => [...family.collect()].length > 0);
  expect(named.map(({ name }) => name).filter(name => name.includes('redis'))).toEqual([]);
  expect(named).toHaveLength(5);
  for (const family of cacheFamilies(() => null)) expect([...family.collect()]).toEqual([]);
});

test('of a thousand revisions those that hold most have series', () => {
  const report = cacheReport(
    Array.from({ length: 1000 }, (_, bytes) => revisionReport({ revision: `r${bytes}`, bytes })),
  );

  for (const name of [METRICS.cacheRevisionBytes, METRICS.redisAsked]) {
    const told = seriesOf(report, name);
    expect(told).toHaveLength(MOST_REVISIONS);
    expect(told[0]![0]).toMatchObject({ revision: 'r999' });
  }
});

describe.skipIf(!hasRedis())('with a real Redis', () => {
  test('the page says that it is used, and after it is gone that it is left alone', async () => {
    await using redis = await startRedis();
    await using it = cacheOf(redis.url, steppedClock());
    const metrics = makeMetrics({
      countEngines: () => 0,
      running: () => [],
      cache: () => it.cache.describe(),
    });
    const page = async () => (await metrics.print()).split('\n');
    await isAsked(it);
    await it.ask('one more');

    const before = await page();
    await redis.end();
    await eventually(() => it.cache.describe().far!.reading === 'open', 'the loss being noticed');
    expect(await it.ask('when it is gone')).toEqual({ text: 'when it is gone', from: 'made' });
    const after = await page();

    expect(before).toEqual(
      expect.arrayContaining([
        'switchback_cache_redis_state{use="reading",state="closed"} 1',
        'switchback_cache_redis_state{use="reading",state="open"} 0',
        expect.stringMatching(
          /^switchback_cache_redis_asked\{model="fraud",revision=".+",reason="pays"\} 1$/,
        ),
        expect.stringMatching(/^switchback_cache_redis_round_trip_seconds \S+$/),
        expect.stringMatching(/^switchback_cache_redis_lookups_total\{result="absent"\} [1-9]/),
      ]),
    );
    expect(after).toEqual(
      expect.arrayContaining([
        'switchback_cache_redis_state{use="reading",state="closed"} 0',
        'switchback_cache_redis_state{use="reading",state="open"} 1',
      ]),
    );
    const entries = (lines: string[]) =>
      Number(/ (\d+)$/.exec(lines.find(l => l.startsWith('switchback_cache_entries '))!)?.[1]);
    expect(entries(after)).toBe(entries(before) + 1);
  });
});
