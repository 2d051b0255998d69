import { CommitSha, type NewEvent, OperationId } from '@switchback-ml/schemas';
import { describe, expect, test } from 'vitest';
import type { Advance, Lease, Ledger, OperationRecord, OperationState } from './ledger.ts';

const T0 = 1_780_000_000_000;
const TTL = 15_000;

/** What every ledger keeps to. `open` gives a new, empty one each time. */
export function ledgerContract(name: string, open: () => Promise<Ledger> | Ledger): void {
  describe(`${name} ledger`, () => {
    leaseContract(open);
    advanceContract(open);
    readContract(open);
  });
}

function leaseContract(open: () => Promise<Ledger> | Ledger): void {
  test('gives a free lease, and refuses another holder until it has run out', async () => {
    await using ledger = await open();

    const first = await ledger.acquire('a', TTL, T0);
    const tooEarly = await ledger.acquire('b', TTL, T0 + TTL - 1);
    const inTime = await ledger.acquire('b', TTL, T0 + TTL);

    expect(first).toEqual({ kind: 'acquired', lease: { holder: 'a', epoch: 1, until: T0 + TTL } });
    expect(tooEarly).toEqual({ kind: 'held', by: { holder: 'a', epoch: 1, until: T0 + TTL } });
    expect(inTime).toEqual({ kind: 'acquired', lease: { holder: 'b', epoch: 2, until: T0 + 2 * TTL } });
  });

  test('keeps the epoch when the holder itself asks again, even late', async () => {
    await using ledger = await open();
    await ledger.acquire('a', TTL, T0);

    expect(await ledger.acquire('a', TTL, T0 + 5 * TTL)).toEqual({
      kind: 'acquired',
      lease: { holder: 'a', epoch: 1, until: T0 + 6 * TTL },
    });
  });

  test('renews a lease that nobody took, and says who did when somebody has', async () => {
    await using ledger = await open();
    const lease = await held(ledger, 'a', T0);

    expect(await ledger.renew(lease, TTL, T0 + 5000)).toEqual({
      kind: 'acquired',
      lease: { ...lease, until: T0 + 5000 + TTL },
    });
    const taker = await held(ledger, 'b', T0 + 60_000);
    expect(await ledger.renew(lease, TTL, T0 + 60_001)).toEqual({ kind: 'held', by: taker });
  });

  test('frees a released lease at once, and raises the epoch for whoever comes next', async () => {
    await using ledger = await open();
    const lease = await held(ledger, 'a', T0);
    await ledger.release(lease);

    expect(await ledger.renew(lease, TTL, T0 + 1)).toEqual({
      kind: 'held',
      by: { holder: '', epoch: 1, until: 0 },
    });
    expect(await ledger.advance({ epoch: lease.epoch, at: T0, events: [event()] })).toEqual({
      kind: 'fenced',
    });
    expect(await held(ledger, 'a', T0 + 1)).toMatchObject({ epoch: 2 });
  });

  test('ignores the release of a lease that another holds by now', async () => {
    await using ledger = await open();
    const lost = await held(ledger, 'a', T0);
    const taken = await held(ledger, 'b', T0 + TTL);

    await ledger.release(lost);

    expect(await ledger.acquire('c', TTL, T0 + TTL + 1)).toEqual({ kind: 'held', by: taken });
  });
}

function advanceContract(open: () => Promise<Ledger> | Ledger): void {
  test('fences a holder whose lease was taken over, and writes nothing of its step', async () => {
    await using ledger = await open();
    const lost = await held(ledger, 'a', T0);
    await held(ledger, 'b', T0 + TTL);

    expect(await ledger.advance(full(lost.epoch))).toEqual({ kind: 'fenced' });
    expect(await everything(ledger)).toEqual(NOTHING);
  });

  test('fences a step when nobody has ever held the lease, and one from a higher epoch', async () => {
    await using ledger = await open();

    expect(await ledger.advance(full(0))).toEqual({ kind: 'fenced' });
    await held(ledger, 'a', T0);
    expect(await ledger.advance(full(7))).toEqual({ kind: 'fenced' });
    expect(await everything(ledger)).toEqual(NOTHING);
  });

  test('lets a holder write whose lease has run out but was not taken', async () => {
    await using ledger = await open();
    const { epoch } = await held(ledger, 'a', T0);

    expect(await ledger.advance({ epoch, at: T0 + 9 * TTL, events: [event()] })).toMatchObject({
      kind: 'advanced',
    });
  });

  test('writes every part of a step together', async () => {
    await using ledger = await open();
    const { epoch } = await held(ledger, 'a', T0);

    const outcome = await ledger.advance(full(epoch));

    expect(outcome).toEqual({ kind: 'advanced', events: [{ ...event(), seq: 1 }] });
    expect(await everything(ledger)).toEqual({
      open: [operation('a', 'intended')],
      rollouts: new Map([['prod/screening', { step: 1 }]]),
      analyses: new Map([['prod/screening', { logRatios: [0.25, -3.5] }]]),
      events: [{ ...event(), seq: 1 }],
    });
  });

  const misses: [string, OperationState | null, OperationState | null][] = [
    ['an operation that is elsewhere', 'moved', 'intended'],
    ['an insert of an operation that is there', 'moved', null],
    ['an operation that is not there', null, 'intended'],
  ];
  test.each(misses)('refuses %s, and leaves nothing of the step written', async (_, stands, from) => {
    await using ledger = await open();
    const { epoch } = await held(ledger, 'a', T0);
    if (stands !== null)
      await ledger.advance({ epoch, at: T0, operations: [{ record: operation('b', stands), from: null }] });
    const before = await everything(ledger);

    const outcome = await ledger.advance({
      ...full(epoch),
      operations: [
        { record: operation('a', 'intended'), from: null },
        { record: operation('b', 'pushed'), from },
      ],
    });

    expect(outcome).toEqual({ kind: 'conflict', operation: operation('b', 'pushed').id });
    expect(await everything(ledger)).toEqual(before);
  });

  test('sees within one step what the step itself did before', async () => {
    await using ledger = await open();
    const { epoch } = await held(ledger, 'a', T0);

    await ledger.advance({
      epoch,
      at: T0,
      operations: [
        { record: operation('a', 'intended'), from: null },
        { record: operation('a', 'moved'), from: 'intended' },
      ],
    });

    expect(await ledger.operation(operation('a', 'moved').id)).toEqual(operation('a', 'moved'));
  });

  test('removes a projection by null, and leaves those not named', async () => {
    await using ledger = await open();
    const { epoch } = await held(ledger, 'a', T0);
    const both = new Map([['dev/a', 1] as const, ['dev/b', 2] as const]);
    await ledger.advance({ epoch, at: T0, rollouts: both, analyses: both });

    await ledger.advance({
      epoch,
      at: T0,
      rollouts: new Map([['dev/a', null]]),
      analyses: new Map([['dev/b', null]]),
    });

    expect(await everything(ledger)).toMatchObject({
      rollouts: new Map([['dev/b', 2]]),
      analyses: new Map([['dev/a', 1]]),
    });
  });

  const unwritable: [string, unknown][] = [
    ['a number that is none', { ratio: Number.NaN }],
    ['an infinity', { ratio: Number.NEGATIVE_INFINITY }],
    ['a big integer', { count: 1n }],
  ];
  test.each(unwritable)('refuses %s rather than keeping something else', async (_, state) => {
    await using ledger = await open();
    const { epoch } = await held(ledger, 'a', T0);

    const step = { ...full(epoch), analyses: new Map([['prod/screening', state]]) };

    await expect(ledger.advance(step)).rejects.toMatchObject({ code: 'E_LEDGER' });
    expect(await everything(ledger)).toEqual(NOTHING);
  });

  test('refuses an event that could not be read again', async () => {
    await using ledger = await open();
    const { epoch } = await held(ledger, 'a', T0);
    const unknown = { ...event(), type: 'made.up' } as unknown as NewEvent;

    await expect(ledger.advance({ epoch, at: T0, events: [event(), unknown] })).rejects.toMatchObject({
      code: 'E_LEDGER',
    });
    expect(await everything(ledger)).toEqual(NOTHING);
  });

  test('numbers events without a gap, also across steps that were refused', async () => {
    await using ledger = await open();
    const { epoch } = await held(ledger, 'a', T0);
    const two = [event('dev'), event('prod')];

    await ledger.advance({ epoch, at: T0, events: two });
    await ledger.advance({ epoch: epoch + 1, at: T0, events: two });
    await ledger.advance({
      ...{ epoch, at: T0, events: two },
      operations: [{ record: operation('a', 'moved'), from: 'intended' }],
    });
    await ledger.advance({ epoch, at: T0, events: two });

    const seqs = (await ledger.events({ limit: 10 })).map(({ seq }) => seq);
    expect(seqs).toEqual([1, 2, 3, 4]);
  });
}

function readContract(open: () => Promise<Ledger> | Ledger): void {
  test('shares no object with its caller, going in or coming out', async () => {
    await using ledger = await open();
    const { epoch } = await held(ledger, 'a', T0);
    const step = full(epoch);
    await ledger.advance(step);
    const before = structuredClone(await everything(ledger));

    (step.rollouts?.get('prod/screening') as { step: number }).step = 99;
    const seen = await ledger.read();
    (seen.rollouts.get('prod/screening') as { step: number }).step = 99;
    seen.open.length = 0;
    for (const found of await ledger.events({ limit: 10 })) found.data['weight'] = 99;

    expect(await everything(ledger)).toEqual(before);
  });

  test('lists open operations oldest first, without those that ended', async () => {
    await using ledger = await open();
    const { epoch } = await held(ledger, 'a', T0);
    const states: OperationState[] = [
      'intended',
      'moved',
      'pushed',
      'refused',
      'done',
      'superseded',
      'withheld',
    ];
    const records = states.map((state, index) => operation(String(index), state, T0 - index));
    await ledger.advance({ epoch, at: T0, operations: records.map(record => ({ record, from: null })) });

    const { open: found } = await ledger.read();

    expect(found.map(({ state }) => state)).toEqual(['refused', 'pushed', 'moved', 'intended']);
  });

  test('finds recent operations of one subject, ended ones too, newest first', async () => {
    await using ledger = await open();
    const { epoch } = await held(ledger, 'a', T0);
    const records = [
      operation('a', 'done', T0 - 2),
      operation('b', 'intended', T0 - 1),
      operation('c', 'withheld', T0),
      { ...operation('d', 'done', T0), subject: 'dev/screening' },
    ];
    await ledger.advance({ epoch, at: T0, operations: records.map(record => ({ record, from: null })) });

    const found = await ledger.recentOperations('prod/screening', T0 - 1);

    expect(found).toEqual([records[2], records[1]]);
    expect(await ledger.operation(records[0]!.id)).toEqual(records[0]);
    expect(await ledger.operation(operation('e', 'done').id)).toBeNull();
  });

  test('answers events by seq, subject and type, oldest first, up to the limit', async () => {
    await using ledger = await open();
    const { epoch } = await held(ledger, 'a', T0);
    const added: NewEvent[] = [
      event('dev', 'rollout.started'),
      event('prod', 'rollout.started'),
      event('prod', 'rollout.baked'),
      event('dev', 'rollout.baked'),
    ];
    await ledger.advance({ epoch, at: T0, events: added });
    const seqs = async (query: Parameters<Ledger['events']>[0]) =>
      (await ledger.events(query)).map(({ seq }) => seq);

    expect(await seqs({ limit: 3 })).toEqual([1, 2, 3]);
    expect(await seqs({ after: 2, limit: 10 })).toEqual([3, 4]);
    expect(await seqs({ subject: 'prod', limit: 10 })).toEqual([2, 3]);
    expect(await seqs({ types: ['rollout.baked'], limit: 10 })).toEqual([3, 4]);
    expect(
      await seqs({ subject: 'dev', types: ['rollout.baked', 'commit.seen'], after: 1, limit: 10 }),
    ).toEqual([4]);
    expect(await seqs({ types: [], limit: 10 })).toEqual([]);
    expect(await seqs({ limit: 0 })).toEqual([]);
  });

  test('forgets old events from the beginning on, and numbers the next as if nothing had gone', async () => {
    await using ledger = await open();
    const { epoch } = await held(ledger, 'a', T0);
    const at = (time: number): NewEvent => ({ ...event(), at: time });
    await ledger.advance({ epoch, at: T0, events: [at(T0), at(T0 + 10), at(T0 + 5), at(T0 + 20)] });

    const forgotten = await ledger.forgetEvents(epoch, T0 + 8);
    const fenced = await ledger.forgetEvents(epoch - 1, T0 + 100);
    await ledger.advance({ epoch, at: T0 + 30, events: [at(T0 + 30)] });

    expect([forgotten, fenced]).toEqual([1, 0]);
    expect((await ledger.events({ limit: 10 })).map(({ seq }) => seq)).toEqual([2, 3, 4, 5]);
    expect((await ledger.events({ after: 3, limit: 10 })).map(({ seq }) => seq)).toEqual([4, 5]);
  });

  test('keeps the newest event, however old', async () => {
    await using ledger = await open();
    const { epoch } = await held(ledger, 'a', T0);
    await ledger.advance({ epoch, at: T0, events: [event(), event()] });

    await ledger.forgetEvents(epoch, T0 + 1e9);
    await ledger.advance({ epoch, at: T0, events: [event()] });

    expect((await ledger.events({ limit: 10 })).map(({ seq }) => seq)).toEqual([2, 3]);
  });

  test('keeps what an event says of its operation and commit, and nothing where it says nothing', async () => {
    await using ledger = await open();
    const { epoch } = await held(ledger, 'a', T0);
    const said = {
      ...event(),
      operation: operation('a', 'done').id,
      commit: CommitSha.parse('c'.repeat(40)),
    };
    await ledger.advance({ epoch, at: T0, events: [said, event()] });

    const found = await ledger.events({ limit: 10 });

    expect(found).toStrictEqual([
      { ...said, seq: 1 },
      { ...event(), seq: 2 },
    ]);
  });

  test('says that it is closed when used afterwards', async () => {
    const ledger = await open();
    await ledger[Symbol.asyncDispose]();

    await expect(ledger.read()).rejects.toMatchObject({ code: 'E_LEDGER' });
    await expect(ledger.acquire('a', TTL, T0)).rejects.toMatchObject({ code: 'E_LEDGER' });
  });
}

const NOTHING = { open: [], rollouts: new Map(), analyses: new Map(), events: [] };

async function everything(ledger: Ledger) {
  return { ...(await ledger.read()), events: await ledger.events({ limit: 1000 }) };
}

async function held(ledger: Ledger, holder: string, now: number): Promise<Lease> {
  const acquired = await ledger.acquire(holder, TTL, now);
  if (acquired.kind !== 'acquired') throw new Error(`the lease is held by ${acquired.by.holder}`);
  return acquired.lease;
}

/** A step with one of everything. */
function full(epoch: number): Advance {
  return {
    epoch,
    at: T0,
    operations: [{ record: operation('a', 'intended'), from: null }],
    rollouts: new Map([['prod/screening', { step: 1 }]]),
    analyses: new Map([['prod/screening', { logRatios: [0.25, -3.5] }]]),
    events: [event()],
  };
}

/** `digit` makes the id: one hexadecimal digit. */
function operation(digit: string, state: OperationState, createdAt = T0): OperationRecord {
  return {
    id: OperationId.parse(digit.repeat(16)),
    kind: 'rollback',
    subject: 'prod/screening',
    state,
    intent: { to: '1.2.0', reason: 'errors 5.1 % – "against" 0.1 %' },
    result: null,
    createdAt,
    updatedAt: createdAt,
  };
}

function event(subject = 'prod/screening', type: NewEvent['type'] = 'traffic.shifted'): NewEvent {
  return { at: T0 + 0.5, type, subject, actor: 'controller', data: { weight: 5 } };
}
