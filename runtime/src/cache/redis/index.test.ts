import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { steppedClock } from '../../clock.fixture.ts';
import { eventually } from '../../serving.fixture.ts';
import { aReply } from '../reply.fixture.ts';
import { storeContract } from '../store.contract.ts';
import { entrySeal } from './entry.ts';
import { hasRedis, type RealRedis, startRedis } from './server.fixture.ts';
import {
  cacheOf,
  isAsked,
  isUsed,
  MOST_ENTRY_BYTES,
  placeOf,
  recordedLog,
  SECRET,
  until,
  use,
} from './used.fixture.ts';

describe.skipIf(!hasRedis())('answers in a real Redis', () => {
  let redis: RealRedis;
  let raw: Redis;
  beforeAll(async () => {
    redis = await startRedis();
    raw = new Redis(redis.url);
  });
  afterEach(() => raw.flushall());
  afterAll(async () => {
    raw.disconnect();
    await redis[Symbol.asyncDispose]();
  });

  storeContract('redis', async clock => {
    const used = use(redis.url, clock);
    await isUsed(used);
    return {
      store: used.store,
      written: used.written,
      tooLargeBytes: MOST_ENTRY_BYTES,
      close: async () => used[Symbol.asyncDispose](),
    };
  });

  test('are known to another runtime that has the secret', async () => {
    await using one = use(redis.url);
    await using other = use(redis.url);
    await Promise.all([isUsed(one), isUsed(other)]);

    one.shelf.keep('name', aReply('one'), until());
    await one.written();

    expect(await other.shelf.find('name')).toMatchObject({ kind: 'known', reply: aReply('one') });
  });

  test('leave Redis by themselves', async () => {
    await using used = use(redis.url);
    await isUsed(used);

    used.shelf.keep('name', aReply('one'), until());
    await used.written();

    const [name] = await raw.keys('*');
    const leftMs = await raw.pttl(name!);
    expect(leftMs).toBeGreaterThan(0.9 * 50_000);
    expect(leftMs).toBeLessThanOrEqual(57_000);
  });

  test.each<[string, string, (name: string, right: Buffer) => Promise<unknown>]>([
    ['a text of somebody', 'malformed', name => raw.set(name, 'hello')],
    ['an entry that was cut off', 'malformed', (name, right) => raw.set(name, right.subarray(0, -1))],
    ['another type of value', 'malformed', name => raw.rpush(name, 'a', 'b')],
    ['a value that is too large', 'too-large', name => raw.set(name, Buffer.alloc(5 * 2 ** 20))],
    ['an answer that was changed', 'forged', (name, right) => raw.set(name, turned(right))],
    [
      'an answer to something else',
      'foreign',
      name =>
        raw.set(name, entrySeal(SECRET).seal(placeOf('other'), { reply: aReply('no'), goodUntil: 1e15 })),
    ],
    [
      'an answer of somebody without the secret',
      'forged',
      name =>
        raw.set(
          name,
          entrySeal('x'.repeat(20)).seal(placeOf('name'), { reply: aReply('no'), goodUntil: 1e15 }),
        ),
    ],
    [
      'an answer that was laid there again after its time',
      'expired',
      name => raw.set(name, entrySeal(SECRET).seal(placeOf('name'), { reply: aReply('old'), goodUntil: 1 })),
    ],
  ])('are not read from %s', async (_, flaw, write) => {
    await using used = use(redis.url);
    await isUsed(used);
    const place = placeOf('name');
    const right = entrySeal(SECRET).seal(place, { reply: aReply('one'), goodUntil: 1e15 });
    await write(place.name, right);

    expect(await used.shelf.find('name')).toEqual({ kind: 'refused', flaw });
    expect(used.store.describe()).toMatchObject({ reading: 'closed', refused: { [flaw]: 1 } });
    await raw.set(place.name, right);
    expect((await used.shelf.find('name')).kind).toBe('known');
  });

  test('are absent after a flush, and nothing is wrong with that', async () => {
    await using used = use(redis.url);
    await isUsed(used);
    used.shelf.keep('name', aReply('one'), until());
    await used.written();

    await raw.flushall();

    expect((await used.shelf.find('name')).kind).toBe('absent');
    expect(used.store.describe().reading).toBe('closed');
  });

  test('are dropped with a count when more is to be written than it keeps up with', async () => {
    await using used = use(redis.url);
    await isUsed(used);

    for (let i = 0; i < 1000; i++) used.shelf.keep(`name ${i}`, aReply('one'), until());

    expect(used.store.describe().writes).toBeLessThanOrEqual(64);
    await used.written();
    const { written, notWritten } = used.store.describe();
    expect(written + notWritten).toBe(1000);
    expect(written).toBe(await raw.dbsize());
    expect(notWritten).toBeGreaterThan(900);
  });

  test('are read though Redis is full, and written again when it has room, and each is told once', async () => {
    const clock = steppedClock();
    const { log, lines } = recordedLog();
    await using used = use(redis.url, clock, undefined, log);
    await isUsed(used);
    used.shelf.keep('name', aReply('one'), until(clock));
    await used.written();

    await raw.config('SET', 'maxmemory', '1');
    for (let i = 0; i < 10; i++) used.shelf.keep('another', aReply('two'), until(clock));
    await used.written();

    expect(used.store.describe()).toMatchObject({ reading: 'closed', writing: 'open' });
    expect(used.store.describe().lastFailure).toContain('OOM');
    expect((await used.shelf.find('name')).kind).toBe('known');

    await clock.advance(1000);
    used.shelf.keep('tried', aReply('two'), until(clock));
    await used.written();
    await raw.config('SET', 'maxmemory', '0');
    await clock.advance(1000);
    used.shelf.keep('another', aReply('two'), until(clock));
    await used.written();

    expect(used.store.describe().writing).toBe('closed');
    expect((await used.shelf.find('another')).kind).toBe('known');
    expect(lines).toEqual([
      'info: answers are shared through Redis',
      'warn: answers are read from Redis and not written to it',
      'info: answers are written to Redis again',
    ]);
  });

  test('are not asked for without bound: the rest of a rush goes on at once, and nothing is wrong with Redis', async () => {
    await using used = use(redis.url);
    await isUsed(used);

    const lookups = Array.from({ length: 1000 }, (_, i) => used.shelf.find(`name ${i}`));

    const kinds = (await Promise.all(lookups)).map(({ kind }) => kind);
    expect(kinds).toEqual([...Array(256).fill('absent'), ...Array(744).fill('failed')]);
    expect(used.store.describe()).toMatchObject({ reading: 'closed', failed: 0 });
  });

  test('are remembered by one cache and told by another', async () => {
    const [clock, otherClock] = [steppedClock(), steppedClock()];
    await using one = cacheOf(redis.url, clock);
    await using other = cacheOf(redis.url, otherClock);
    await Promise.all([isAsked(one), isAsked(other)]);
    await one.ask('asked');
    await eventually(() => one.cache.describe().far!.writes === 0, 'everything being written');

    expect(await other.ask('asked')).toEqual({ text: 'asked', from: 'redis' });
    expect(await other.ask('asked')).toEqual({ text: 'asked', from: 'memory' });
  });

  test('leave no connection behind', async () => {
    const used = use(redis.url);
    await isUsed(used);
    used.shelf.keep('name', aReply('one'), until());
    const asked = used.shelf.find('name');

    await used[Symbol.asyncDispose]();

    expect((await asked).kind).toBe('failed');
    expect((await used.shelf.find('name')).kind).toBe('failed');
    const clients = async () =>
      String(await raw.client('LIST'))
        .trim()
        .split('\n').length;
    await eventually(async () => (await clients()) === 1, 'the connection being closed');
  });
});

function turned(entry: Buffer): Buffer {
  const changed = Buffer.from(entry);
  changed[changed.byteLength - 1]! ^= 1;
  return changed;
}
