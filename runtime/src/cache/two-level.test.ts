import { describe, expect, test } from 'vitest';
import { type SteppedClock, settled, steppedClock } from '../clock.fixture.ts';
import { SwitchbackError } from '../error.ts';
import type { Found, MakeReply, ReplyCache, ReplyKey } from './cache.ts';
import { inProcessReplies } from './in-process/index.ts';
import { aReply, LABEL } from './reply.fixture.ts';
import { type ScriptedFar, scriptedFar } from './scripted-far.fixture.ts';
import { replyCache } from './two-level.ts';

const POLICY = { forMs: 60_000, bytes: 2 ** 20 };
const KEY: ReplyKey = { ...LABEL, encoding: 'v2', body: Buffer.from('{"inputs":[]}') };

interface World {
  clock: SteppedClock;
  cache: ReplyCache;
  /** How often an answer was made. */
  made: () => number;
  /** Makes `text`, in so many milliseconds of the clock. */
  make: (text: string, costMs?: number) => MakeReply;
}

function world(
  far: ((clock: SteppedClock) => ScriptedFar) | null = null,
): World & { far: ScriptedFar | null } {
  const clock = steppedClock();
  const scripted = far?.(clock) ?? null;
  let made = 0;
  return {
    clock,
    far: scripted,
    cache: replyCache({ clock, near: inProcessReplies({ clock, budgetBytes: 2 ** 22 }), far: scripted }),
    made: () => made,
    make:
      (text, costMs = 0) =>
      async () => {
        made++;
        if (costMs > 0) await clock.sleep(costMs);
        return aReply(text);
      },
  };
}

/** Asks, and lets the clock go on until it is answered. */
async function ask(
  { cache, clock }: World,
  key: Partial<ReplyKey>,
  make: MakeReply,
): Promise<{ text: string; from: string } | null> {
  const asked = Promise.resolve(cache.through({ ...KEY, ...key }, POLICY, make));
  let isAnswered = false;
  const marked = asked.finally(() => {
    isAnswered = true;
  });
  marked.catch(() => {});
  for (let i = 0; i < 1000 && !isAnswered; i++) await clock.advance(0.25);
  return told(await marked);
}

function told(found: Found | null): { text: string; from: string } | null {
  return found && { text: found.reply.body.toString(), from: found.from };
}

describe('the reply cache', () => {
  test('makes an answer once and then has it, without a promise', async () => {
    const it = world();
    expect(await ask(it, {}, it.make('one'))).toEqual({ text: 'one', from: 'made' });

    const found = it.cache.through(KEY, POLICY, it.make('two'));

    expect(found).not.toBeInstanceOf(Promise);
    expect(told(found as Found)).toEqual({ text: 'one', from: 'memory' });
    expect(it.made()).toBe(1);
  });

  test.each<[string, Partial<ReplyKey>]>([
    ['body', { body: Buffer.from('{"inputs":[ ]}') }],
    ['encoding', { encoding: 'v2 binary' }],
    ['model', { model: 'other' }],
    ['revision', { revision: 'other' }],
    ['digest of the version under the same revision', { digest: 'sha256:other' }],
  ])('does not answer a request with another %s', async (_, other) => {
    const it = world();
    await ask(it, {}, it.make('one'));

    expect(await ask(it, other, it.make('two'))).toEqual({ text: 'two', from: 'made' });
  });

  test('makes an answer anew when its time is over', async () => {
    const it = world();
    await ask(it, {}, it.make('one'));
    await it.clock.advance(POLICY.forMs);

    expect(await ask(it, {}, it.make('two'))).toEqual({ text: 'two', from: 'made' });
    expect(it.cache.describe().models[0]).toMatchObject({ expired: 1, misses: 2 });
  });

  test('makes one answer for all who ask at the same time', async () => {
    const it = world();
    const make = it.make('one', 5);
    const all = Array.from({ length: 50 }, () => it.cache.through(KEY, POLICY, make));
    await it.clock.advance(5);

    const sources = (await Promise.all(all)).map(found => found?.from);

    expect(sources).toEqual(['made', ...Array(49).fill('shared')]);
    expect(it.made()).toBe(1);
    expect(it.cache.describe().models[0]).toMatchObject({ misses: 1, shared: 49, memoryHits: 0 });
  });

  test('lets one of many that wait try again when an engine died, and answers all with that', async () => {
    const it = world();
    let engines = 0;
    const make: MakeReply = async () => {
      await it.clock.sleep(1);
      if (++engines === 1) throw new SwitchbackError('E_ENGINE_DIED', 'It died.');
      return aReply('one');
    };
    const all = Array.from({ length: 50 }, () =>
      Promise.resolve(it.cache.through(KEY, POLICY, make)).then(
        found => found?.from,
        (error: SwitchbackError) => error.code,
      ),
    );
    await it.clock.advance(2);

    expect(await Promise.all(all)).toEqual(['E_ENGINE_DIED', 'made', ...Array(48).fill('shared')]);
    expect(engines).toBe(2);
  });

  test('feeds no third engine to a request of which two died', async () => {
    const it = world();
    let engines = 0;
    const make: MakeReply = async () => {
      engines++;
      await it.clock.sleep(1);
      throw new SwitchbackError('E_ENGINE_DIED', 'It died.');
    };
    const all = Array.from({ length: 50 }, () =>
      Promise.resolve(it.cache.through(KEY, POLICY, make)).catch((error: SwitchbackError) => error.code),
    );
    await it.clock.advance(2);

    expect(await Promise.all(all)).toEqual(Array(50).fill('E_ENGINE_DIED'));
    expect(engines).toBe(2);
    expect(await ask(it, {}, it.make('one'))).toEqual({ text: 'one', from: 'made' });
  });

  test('remembers nothing where it was answered otherwise', async () => {
    const it = world();
    expect(await ask(it, {}, async () => null)).toBeNull();

    expect(await ask(it, {}, it.make('one'))).toEqual({ text: 'one', from: 'made' });
    expect(it.cache.describe().models[0]).toMatchObject({ misses: 2, notKept: 1 });
  });

  test('passes on what making threw, also when it threw before it began to wait', async () => {
    const it = world();
    const broken = (() => {
      throw new SwitchbackError('E_INPUT', 'It has no inputs.');
    }) as MakeReply;

    await expect(ask(it, {}, broken)).rejects.toMatchObject({ code: 'E_INPUT' });
    expect(await ask(it, {}, it.make('one'))).toMatchObject({ from: 'made' });
  });

  test('forgets a revision that was dropped, and keeps the counts of its model while another is there', async () => {
    const it = world();
    await ask(it, {}, it.make('one'));
    await ask(it, { revision: 'next' }, it.make('next'));

    it.cache.drop(KEY.model, KEY.revision);

    expect(it.cache.describe()).toMatchObject({
      entries: 1,
      models: [{ misses: 2, revisions: [{ revision: 'next' }] }],
    });
    expect(await ask(it, {}, it.make('two'))).toEqual({ text: 'two', from: 'made' });
    it.cache.drop(KEY.model, KEY.revision);
    it.cache.drop(KEY.model, 'next');
    it.cache.drop(KEY.model, 'never there');
    expect(it.cache.describe()).toMatchObject({ entries: 0, bytes: 0, models: [] });
  });

  test('counts what was forgotten over all models, also those that have gone', async () => {
    const it = world();
    const large = 'x'.repeat(POLICY.bytes);
    await ask(it, {}, it.make(large));
    await ask(it, { model: 'other' }, it.make(large));
    expect(it.cache.describe().forgotten).toEqual({ tooLarge: 2, evicted: 0, expired: 0 });

    it.cache.drop(KEY.model, KEY.revision);
    await ask(it, {}, it.make(large));

    expect(it.cache.describe().forgotten).toEqual({ tooLarge: 3, evicted: 0, expired: 0 });
  });

  test('keeps no answer that was under way when its revision was dropped', async () => {
    const it = world();
    const asked = it.cache.through(KEY, POLICY, it.make('one', 5));

    it.cache.drop(KEY.model, KEY.revision);
    await it.clock.advance(5);

    expect(await asked).toMatchObject({ from: 'made' });
    expect(it.cache.describe()).toMatchObject({ entries: 0, bytes: 0 });
  });
});

const body = (text: string): { body: Buffer } => ({ body: Buffer.from(text) });
const ROUND_TRIP_MS = 1;

/** Both what an answer costs and what asking costs are known. */
async function measured(it: World, costMs: number): Promise<void> {
  for (let i = 0; i < 4; i++) await ask(it, body(`first ${i}`), it.make('first', costMs));
}

describe('the second level', () => {
  test('is asked where an answer costs more than that, and its answers are kept here', async () => {
    const it = world(clock => scriptedFar(clock, ROUND_TRIP_MS));
    await measured(it, 20);
    it.far!.always = { kind: 'known', reply: aReply('far'), until: it.clock.elapsed() + 1000 };

    const far = await ask(it, body('x'), it.make('one', 20));
    const near = await ask(it, body('x'), it.make('one', 20));
    await it.clock.advance(1000);
    it.far!.always = { kind: 'absent' };
    const late = await ask(it, body('x'), it.make('one', 20));

    expect([far?.from, near?.from, late?.from]).toEqual(['redis', 'memory', 'made']);
  });

  test('is told what was made where it pays, and another process finds it there', async () => {
    const it = world(clock => scriptedFar(clock, ROUND_TRIP_MS));
    await measured(it, 20);
    await ask(it, body('x'), it.make('one', 20));
    it.cache.drop(KEY.model, KEY.revision);
    // As another process would: it has measured, and has not seen this request.
    await measured(it, 20);

    expect(await ask(it, body('x'), it.make('two', 20))).toEqual({ text: 'one', from: 'redis' });
  });

  test('is neither told nor waited for where making an answer is quicker', async () => {
    const it = world(clock => scriptedFar(clock, ROUND_TRIP_MS));
    await measured(it, 0.25);
    it.far!.always = { kind: 'known', reply: aReply('far'), until: it.clock.elapsed() + 60_000 };

    for (let i = 0; i < 100; i++)
      expect(await ask(it, body(`x ${i}`), it.make('one', 0.25))).toMatchObject({ from: 'made' });

    expect(it.far!.kept.size).toBe(0);
    // A sixteenth is asked beside, so that a change is noticed.
    expect(it.far!.asked).toBeGreaterThan(5);
    expect(it.far!.asked).toBeLessThan(60);
    expect(it.cache.describe().models[0]!.revisions[0]!.far).toEqual({
      isAsked: false,
      why: 'too-cheap',
      reason: expect.stringMatching(/^making an answer takes 0\.25 ms, asking takes 1\.\d+ ms$/),
    });
  });

  test('is waited for no longer where nothing is ever known, and is again once that has changed', async () => {
    const it = world(clock => scriptedFar(clock, ROUND_TRIP_MS));
    it.far!.kept.set = function ignore() {
      return this;
    };
    await measured(it, 4);
    for (let i = 0; i < 600; i++) await ask(it, body(`never ${i}`), it.make('one', 4));
    const report = () => it.cache.describe().models[0]!.revisions[0]!.far!;
    expect(report()).toEqual({
      isAsked: false,
      why: 'seldom-known',
      reason: expect.stringContaining('% are known'),
    });

    it.far!.always = { kind: 'known', reply: aReply('far'), until: it.clock.elapsed() + 1e9 };
    for (let i = 0; i < 3000 && !report().isAsked; i++) await ask(it, body(`known ${i}`), it.make('one', 4));

    expect(report().isAsked).toBe(true);
  });

  test.each([
    ['can not say', { kind: 'failed', reason: 'gone' } as const],
    ['has something that is not ours', { kind: 'refused', flaw: 'forged' } as const],
  ])('changes no answer when it %s', async (_, always) => {
    const it = world(clock => scriptedFar(clock, ROUND_TRIP_MS));
    await measured(it, 20);
    it.far!.always = always;

    expect(await ask(it, body('x'), it.make('one', 20))).toEqual({ text: 'one', from: 'made' });
    expect(await ask(it, body('x'), it.make('one', 20))).toEqual({ text: 'one', from: 'memory' });
  });

  test('is asked once for all who ask at the same time', async () => {
    const it = world(clock => scriptedFar(clock, ROUND_TRIP_MS));
    await measured(it, 20);
    it.far!.always = { kind: 'known', reply: aReply('far'), until: it.clock.elapsed() + 1000 };
    const before = it.far!.asked;

    const all = Array.from({ length: 20 }, () =>
      it.cache.through({ ...KEY, ...body('x') }, POLICY, it.make('one', 20)),
    );
    await it.clock.advance(ROUND_TRIP_MS);
    await settled();

    expect((await Promise.all(all)).map(found => found?.from)).toEqual([
      'redis',
      ...Array(19).fill('shared'),
    ]);
    expect(it.far!.asked - before).toBe(1);
  });

  test('is asked one thing at a time by those who do not wait for it', async () => {
    const it = world(clock => scriptedFar(clock, ROUND_TRIP_MS));

    const all = Array.from({ length: 20 }, (_, i) =>
      it.cache.through({ ...KEY, ...body(`x ${i}`) }, POLICY, it.make('one')),
    );

    expect(it.far!.asked).toBe(1);
    await it.clock.advance(ROUND_TRIP_MS);
    expect((await Promise.all(all)).map(found => found?.from)).toEqual(Array(20).fill('made'));
  });

  test('tells how long asking takes, and why it is asked', async () => {
    const it = world(clock => scriptedFar(clock, ROUND_TRIP_MS));
    expect(it.cache.describe().far).toMatchObject({ roundTripMs: null });
    await measured(it, 20);

    const { far, models } = it.cache.describe();

    expect(far!.roundTripMs).toBeGreaterThanOrEqual(ROUND_TRIP_MS);
    expect(models[0]!.revisions[0]!.far).toEqual({
      isAsked: true,
      why: 'pays',
      reason: expect.stringMatching(
        /^making an answer takes 20 ms, asking takes 1\.\d+ ms, and [\d.]+ % are known$/,
      ),
    });
  });
});
