import { type NewEvent, OperationId } from '@switchback-ml/schemas';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../clock.ts';
import type { Log } from '../../log.ts';
import type { Ledger, OperationRecord } from '../ledger.ts';
import { type CutLine, cutLine } from './cut-line.fixture.ts';
import { open } from './opened.fixture.ts';
import { hasPostgres, type RealPostgres, startPostgres } from './server.fixture.ts';

const HOUR = 3_600_000;
/** As it stands in a message of its own; a transaction also begins as READ COMMITTED. */
const COMMIT = 'COMMIT\0';

describe.skipIf(!hasPostgres())('when the line or the server fails', () => {
  let server: RealPostgres;
  let line: CutLine;
  beforeAll(async () => {
    server = await startPostgres();
    line = await cutLine(server.port);
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await line[Symbol.asyncDispose]();
  });

  test.each([
    ['after the COMMIT was sent', COMMIT, 'cut-after'],
    ['before the COMMIT arrived', COMMIT, 'cut-before'],
    ['amid the step', 'INSERT INTO event', 'cut-after'],
    ['at its beginning', 'BEGIN', 'cut-after'],
  ] as const)('a step whose line is cut %s is written once', async (_, at, deed) => {
    await using ledger = await open(server.addressFile({ port: line.port }));
    const epoch = await led(ledger);
    await ledger.advance({ epoch, at: 1, events: [event('before')] });

    const cuts = cutOnce(line, at, deed);
    const outcome = await ledger.advance({ epoch, at: 2, events: [event('cut'), event('also')] });

    expect(cuts()).toBe(1);
    expect(outcome).toMatchObject({ kind: 'advanced', events: [{ seq: 2 }, { seq: 3 }] });
    expect(await told(ledger)).toEqual(['1 before', '2 cut', '3 also']);
  });

  test('a step is written once, however often its line is cut after its COMMIT', async () => {
    await using ledger = await open(server.addressFile({ port: line.port }));
    const epoch = await led(ledger);

    let left = 4;
    line.arm(message => (message.includes(COMMIT) && left-- > 0 ? 'cut-after' : 'pass'));
    await ledger.advance({ epoch, at: 1, events: [event('once')] });
    line.arm(null);

    expect(left).toBeLessThan(0);
    expect(await told(ledger)).toEqual(['1 once']);
  });

  test('an operation is inserted once and in no conflict with itself', async () => {
    await using ledger = await open(server.addressFile({ port: line.port }));
    const epoch = await led(ledger);
    const record: OperationRecord = {
      id: OperationId.parse('a'.repeat(16)),
      ...{ kind: 'rollback', subject: 'prod/a', state: 'intended' },
      ...{ intent: {}, result: null, createdAt: 1, updatedAt: 1 },
    };

    cutOnce(line, COMMIT, 'cut-after');
    const outcome = await ledger.advance({ epoch, at: 1, operations: [{ record, from: null }] });

    expect(outcome).toEqual({ kind: 'advanced', events: [] });
    expect((await ledger.read()).open).toEqual([record]);
  });

  test('a lease is taken, kept and given back across a cut, in one epoch', async () => {
    await using ledger = await open(server.addressFile({ port: line.port }));

    cutOnce(line, COMMIT, 'cut-after');
    const taken = await ledger.acquire('a', HOUR, 1000);
    cutOnce(line, COMMIT, 'cut-after');
    const renewed = await ledger.renew({ holder: 'a', epoch: 1, until: 0 }, HOUR, 2000);
    cutOnce(line, COMMIT, 'cut-after');
    await ledger.release({ holder: 'a', epoch: 1, until: 0 });

    expect(taken).toEqual({ kind: 'acquired', lease: { holder: 'a', epoch: 1, until: 1000 + HOUR } });
    expect(renewed).toEqual({ kind: 'acquired', lease: { holder: 'a', epoch: 1, until: 2000 + HOUR } });
    expect(await ledger.acquire('b', HOUR, 3000)).toMatchObject({ kind: 'acquired', lease: { epoch: 2 } });
  });

  test('a step whose answer never comes is looked after and written once', async () => {
    await using ledger = await open(server.addressFile({ port: line.port }));
    const epoch = await led(ledger);

    // What was held back leaves its locks behind: the server has to give up that transaction first.
    const held = cutOnce(line, COMMIT, 'hold');
    const outcome = await ledger.advance({ epoch, at: 1, events: [event('held back')] });

    expect(held()).toBe(1);
    expect(outcome).toMatchObject({ kind: 'advanced' });
    expect(await told(ledger)).toEqual(['1 held back']);
  });

  test('the session of a writer is killed on the server amid its writing, and every step is written once', async () => {
    const addressFile = server.addressFile();
    await using ledger = await open(addressFile);
    const epoch = await led(ledger);

    for (let step = 1; step <= 30; step++) {
      const writing = ledger.advance({ epoch, at: step, events: [event(`step ${step}`)] });
      if (step % 10 === 0) server.killSessions();
      expect(await writing).toMatchObject({ kind: 'advanced', events: [{ seq: step }] });
    }

    expect(await told(ledger)).toEqual(
      Array.from({ length: 30 }, (_, index) => `${index + 1} step ${index + 1}`),
    );
  });

  test('the server is killed and comes back: steps wait for it, and each is written once', async () => {
    const lines: string[] = [];
    const tell = (level: string) => (_: object, message: string) => void lines.push(`${level}: ${message}`);
    const log = { info: tell('info') as Log['info'], warn: tell('warn') as Log['warn'] };
    await using ledger = await open(server.addressFile(), log);
    const epoch = await led(ledger);
    lines.length = 0;

    const written: Promise<unknown>[] = [];
    for (let step = 1; step <= 40; step++)
      written.push(ledger.advance({ epoch, at: step, events: [event(`step ${step}`)] }));
    await written[10];
    await server.kill();
    await server.start();
    const outcomes = await Promise.all(written);

    expect(outcomes.every(outcome => (outcome as { kind: string }).kind === 'advanced')).toBe(true);
    expect(await told(ledger)).toEqual(
      Array.from({ length: 40 }, (_, index) => `${index + 1} step ${index + 1}`),
    );
    expect(lines).toEqual([
      'warn: the ledger is not reached, will try again',
      'info: the ledger is reached again',
    ]);
  });

  test('many who ask while the server is away hear so together, not one after another', async () => {
    let ahead = 0;
    await using ledger = await open(server.addressFile({ port: line.port }), undefined, () => ahead);
    const epoch = await led(ledger);
    line.arm(() => {
      ahead = 60_000;
      return 'cut-before';
    });

    const before = line.lines();
    const asked = Array.from({ length: 20 }, () =>
      ledger.advance({ epoch, at: 1, events: [event('never')] }),
    );
    const outcomes = await Promise.allSettled(asked);
    const lines = line.lines() - before;
    line.arm(null);

    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    expect(lines).toBeLessThan(3);
    expect(await told(ledger)).toEqual([]);
  });

  test('what was said to have failed and was written all the same fences its epoch', async () => {
    let isAway = false;
    await using ledger = await open(server.addressFile({ port: line.port }), undefined, () =>
      isAway ? 60_000 : 0,
    );
    const epoch = await led(ledger);

    line.arm(message => {
      isAway ||= message.includes(COMMIT);
      return !isAway ? 'pass' : message.includes(COMMIT) ? 'cut-after' : 'cut-before';
    });
    const failed = ledger.advance({ epoch, at: 1, events: [event('unheard')] });
    await expect(failed).rejects.toMatchObject({ code: 'E_LEDGER' });
    line.arm(null);

    expect(await ledger.advance({ epoch, at: 2, events: [event('late')] })).toEqual({ kind: 'fenced' });
    expect(await ledger.forgetEvents(epoch, HOUR)).toBe(0);
    expect(await told(ledger)).toEqual(['1 unheard']);
    await using next = await open(server.addressFile({ query: `schema=${schemaOf(server)}` }));
    expect(await next.advance({ epoch, at: 3, events: [event('the next life')] })).toMatchObject({
      kind: 'advanced',
    });
  });

  test('what was said to have failed and was not written leaves the epoch as it is', async () => {
    let isAway = false;
    await using ledger = await open(server.addressFile({ port: line.port }), undefined, () =>
      isAway ? 60_000 : 0,
    );
    const epoch = await led(ledger);

    line.arm(message => {
      isAway ||= message.includes(COMMIT);
      return isAway ? 'cut-before' : 'pass';
    });
    const failed = ledger.advance({ epoch, at: 1, events: [event('lost')] });
    await expect(failed).rejects.toMatchObject({ code: 'E_LEDGER' });
    line.arm(null);

    expect(await ledger.advance({ epoch, at: 2, events: [event('again')] })).toMatchObject({
      kind: 'advanced',
    });
    expect(await told(ledger)).toEqual(['1 again']);
  });
});

async function led(ledger: Ledger): Promise<number> {
  const acquired = await ledger.acquire('a', HOUR, systemClock.now());
  if (acquired.kind === 'held') throw new Error('a new ledger gives its lease');
  return acquired.lease.epoch;
}

async function told(ledger: Ledger): Promise<string[]> {
  return (await ledger.events({ limit: 1000 })).map(({ seq, actor }) => `${seq} ${actor}`);
}

function event(actor: string): NewEvent {
  return { at: 1, type: 'rollout.stepped', subject: 'dev/a', actor, data: {} };
}

function cutOnce(line: CutLine, at: string, deed: 'cut-after' | 'cut-before' | 'hold'): () => number {
  let cuts = 0;
  line.arm(message => (message.includes(at) && cuts === 0 && ++cuts ? deed : 'pass'));
  return () => cuts;
}

/** The newest one. */
function schemaOf(server: RealPostgres): string {
  return server.sql(`SELECT nspname FROM pg_namespace WHERE nspname LIKE 't\\_%' ORDER BY oid DESC LIMIT 1`);
}
