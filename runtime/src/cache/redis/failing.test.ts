import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { steppedClock } from '../../clock.fixture.ts';
import { systemClock } from '../../clock.ts';
import { silentLog } from '../../log.ts';
import { eventually } from '../../serving.fixture.ts';
import { aReply } from '../reply.fixture.ts';
import type { Lookup } from '../store.ts';
import { redisReplies } from './index.ts';
import { hasRedis, listening, startRedis } from './server.fixture.ts';
import { cacheOf, isAsked, isUsed, recordedLog, until, use } from './used.fixture.ts';

describe.skipIf(!hasRedis())('a Redis that fails', () => {
  test('is left alone while it hangs, and used again when it goes on', async () => {
    await using redis = await startRedis();
    const clock = steppedClock();
    await using used = use(redis.url, clock, 20);
    await eventually(async () => (await used.shelf.find('x')).kind !== 'failed', 'Redis being used');
    used.shelf.keep('name', aReply('one'), until(clock));
    await used.written();

    redis.signal('SIGSTOP');
    const lookups: Lookup[] = [];
    for (let i = 0; i < 5; i++) lookups.push(await used.shelf.find('name'));

    expect(lookups.map(({ kind }) => kind)).toEqual(Array(5).fill('failed'));
    expect(used.store.describe()).toMatchObject({ reading: 'open', failed: 5 });
    // Nobody waits any more, not even a turn of the event loop.
    expect(used.shelf.find('name')).toMatchObject({ kind: 'failed' });

    redis.signal('SIGCONT');
    await eventually(async () => {
      await clock.advance(1000);
      return (await used.shelf.find('name')).kind === 'known';
    }, 'Redis being used again');
  });

  test('changes no answer of a cache by hanging, dying and coming back, and each change is told once', async () => {
    await using redis = await startRedis();
    const clock = steppedClock();
    const { log, lines } = recordedLog();
    await using it = cacheOf(redis.url, clock, log);
    const sources: (string | undefined)[] = [];
    const ask = async (text: string): Promise<void> => {
      const found = await it.ask(text);
      expect(found?.text).toBe(text);
      sources.push(found?.from);
    };
    await isAsked(it);

    redis.signal('SIGSTOP');
    for (let i = 0; i < 20; i++) await ask(`while it hangs ${i}`);
    await redis.end();
    for (let i = 0; i < 20; i++) await ask(`while it is gone ${i}`);
    await using _again = await startRedis(redis.port);
    let i = 0;
    await eventually(async () => {
      await ask(`when it is back ${i++}`);
      await clock.advance(1000);
      return it.cache.describe().far!.reading === 'closed';
    }, 'Redis being used again');

    expect(new Set(sources)).toEqual(new Set(['made']));
    // The hanging server was waited for a few times, and then no more.
    expect(it.cache.describe().far!.failed).toBeGreaterThanOrEqual(5);
    expect(it.cache.describe().far!.failed).toBeLessThan(12);
    expect(lines).toEqual([
      'info: answers are shared through Redis',
      'warn: answers are not shared: Redis is left alone',
      'info: answers are shared through Redis',
    ]);
  });

  test('is left alone at once when it dies, and used again when it is back', async () => {
    await using redis = await startRedis();
    await using used = use(redis.url);
    await isUsed(used);

    await redis.end();

    await eventually(() => used.store.describe().reading === 'open', 'the loss being noticed');
    expect(used.shelf.find('name')).toMatchObject({ kind: 'failed' });
    expect(used.store.describe().lastFailure).toBeTypeOf('string');
    await using _again = await startRedis(redis.port);
    await isUsed(used);
    used.shelf.keep('name', aReply('one'), until());
    await used.written();
    expect((await used.shelf.find('name')).kind).toBe('known');
  });

  test('is used when it comes later than we do', async () => {
    const { port, url } = await closedPort();
    await using used = use(url);
    expect(used.shelf.find('name')).toMatchObject({ kind: 'failed' });
    await eventually(() => used.store.describe().lastFailure !== null, 'the refusal');

    await using _redis = await startRedis(port);

    await isUsed(used);
  });

  test('is left alone without the right password, and told nothing', async () => {
    await using redis = await startRedis(undefined, ['--requirepass', 'open sesame']);
    await using without = use(redis.url);
    await using withIt = use(redis.url.replace('//', '//:open%20sesame@'));
    await without.shelf.find('name');

    await isUsed(withIt);

    await eventually(() => without.store.describe().lastFailure !== null, 'the refusal');
    expect(without.store.describe()).toMatchObject({
      reading: 'open',
      lastFailure: expect.stringContaining('NOAUTH'),
    });
  });
});

describe('what is no Redis', () => {
  test.each<[string, (socket: Socket) => void]>([
    ['says nothing', () => {}],
    ['closes at once', socket => socket.destroy()],
    ['answers with nonsense', socket => socket.on('data', () => socket.write('<html>not here</html>\r\n'))],
    ['answers every question with an error', socket => socket.on('data', () => socket.write('-ERR no\r\n'))],
    ['agrees with everything', socket => socket.on('data', () => socket.write('+PONG\r\n'))],
    ['answers what nobody asked', socket => socket.write('+PONG\r\n+PONG\r\n:1\r\n$3\r\nabc\r\n')],
    ['speaks of an endless value', endless],
  ])('%s and never makes an answer', async (_, act) => {
    await using impostor = await listening(act);
    const clock = steppedClock();
    await using used = use(impostor.url, clock, 20);

    const lookups: Lookup[] = [];
    await eventually(async () => {
      lookups.push(await used.shelf.find('name'));
      used.shelf.keep('name', aReply('one'), until(clock));
      await clock.advance(500);
      return impostor.connections() >= 3 || lookups.length > 300;
    }, 'several tries');

    expect(lookups.filter(({ kind }) => kind === 'known')).toEqual([]);
  });

  test.each(['http://127.0.0.1', '127.0.0.1:6379', '', 'redis://127.0.0.1/0?enableOfflineQueue=true'])(
    'is refused as an address: "%s"',
    url => {
      expect(() => use(url)).toThrow(expect.objectContaining({ code: 'E_CONFIG' }));
    },
  );

  test('is any with a secret that could be guessed', () => {
    expect(() =>
      redisReplies({
        url: 'redis://127.0.0.1',
        secret: 'short',
        clock: systemClock,
        random: () => 0,
        log: silentLog,
      }),
    ).toThrow(expect.objectContaining({ code: 'E_CONFIG' }));
  });
});

/** Well until it is asked for a value; then it never stops. */
function endless(socket: Socket): void {
  const chunk = Buffer.alloc(64 * 1024, 'a');
  const pour = (): void => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on('data', data => {
    if (!data.includes('getrange')) {
      socket.write('+PONG\r\n');
      return;
    }
    socket.write('$400000000\r\n');
    socket.on('drain', pour);
    pour();
  });
}

async function closedPort(): Promise<{ port: number; url: string }> {
  await using was = await listening(() => {});
  return { port: was.port, url: was.url };
}
