import type { Event, NewEvent } from '@switchback-ml/schemas';
import type { Log } from '../../log.ts';
import { checkedEvent, fromJson, toJson } from '../json.ts';
import type { Acquired, Advance, Advanced, EventQuery, Ledger, LedgerView } from '../ledger.ts';
import { EVENTS_AT_MOST, type OperationStep, takenLease } from '../rules.ts';
import { eventOf, leaseOf, operationOf, operationValues, stateOf, type Value } from '../sql/rows.ts';
import { eventsStatement, STATEMENTS } from '../sql/statements.ts';
import { type Database, openDatabase } from './database.ts';
import { migrate, refuseUnknown } from './migrations.ts';

export interface SqliteLedgerOptions {
  /** Made when absent, with its folder. One file belongs to one repository. */
  file: string;
  log?: Pick<Log, 'info'>;
}

/**
 * The embedded ledger. Every call is one short, blocking transaction, on the disk before the promise resolves;
 * several processes may hold the file, the lease says which of them may write.
 */
export function sqliteLedger({ file, log }: SqliteLedgerOptions): Ledger {
  const db = openDatabase(file);
  try {
    refuseUnknown(db, file);
    db.makeDurable();
    const { from, to } = migrate(db, file, Date.now());
    if (from !== to) log?.info({ file, from, to }, 'ledger schema brought up to date');
  } catch (error) {
    db.close();
    throw error;
  }

  return {
    acquire: async (holder, ttlMs, now) =>
      db.write('grant the lease', () => {
        const taken = takenLease(lockedLease(db), holder, ttlMs, now);
        return hold(db, taken);
      }),
    renew: async (lease, ttlMs, now) =>
      db.write('renew the lease', () => {
        const by = lockedLease(db);
        if (by.holder !== lease.holder || by.epoch !== lease.epoch) return { kind: 'held', by };
        return hold(db, { kind: 'acquired', lease: { ...by, until: now + ttlMs } });
      }),
    release: async lease => {
      db.write('release the lease', () => db.run(STATEMENTS.releaseLease, lease.holder, lease.epoch));
    },
    advance: async step =>
      db.write(
        'write a step',
        () => advance(db, step),
        ({ kind }) => kind === 'advanced',
      ),
    read: async () => db.read('be read', () => view(db)),
    operation: async id =>
      db.read('be read', () => {
        const row = db.get(STATEMENTS.operation, id);
        return row === undefined ? null : operationOf(row);
      }),
    recentOperations: async (subject, since) =>
      db.read('be read', () => db.all(STATEMENTS.recentOperations, subject, since).map(operationOf)),
    events: async query => db.read('be read', () => events(db, query)),
    forgetEvents: async (epoch, before) =>
      db.write('forget events', () => {
        if (db.run(STATEMENTS.fence, epoch) === 0) return 0;
        db.run(STATEMENTS.keepEventsSince, before);
        return db.run(STATEMENTS.forgetEvents, before);
      }),
    [Symbol.asyncDispose]: async () => db.close(),
  };
}

function lockedLease(db: Database) {
  db.run(STATEMENTS.lockLease);
  return leaseOf(db.get(STATEMENTS.lease));
}

function hold(db: Database, acquired: Acquired): Acquired {
  if (acquired.kind === 'acquired') {
    const { holder, epoch, until } = acquired.lease;
    db.run(STATEMENTS.holdLease, holder, epoch, until);
  }
  return acquired;
}

function advance(db: Database, step: Advance): Advanced {
  if (db.run(STATEMENTS.fence, step.epoch) === 0) return { kind: 'fenced' };

  for (const change of step.operations ?? [])
    if (!moved(db, change)) return { kind: 'conflict', operation: change.record.id };
  for (const [subject, state] of step.rollouts ?? []) {
    if (state === null) db.run(STATEMENTS.removeRollout, subject);
    else db.run(STATEMENTS.putRollout, subject, toJson(state, `the rollout of ${subject}`));
  }
  for (const [subject, state] of step.analyses ?? []) {
    if (state === null) db.run(STATEMENTS.removeAnalysis, subject);
    else db.run(STATEMENTS.putAnalysis, subject, toJson(state, `the analysis of ${subject}`));
  }
  return { kind: 'advanced', events: appended(db, step.events ?? []) };
}

/** Whether the operation was in the state that the step expects. */
function moved(db: Database, { record, from }: OperationStep): boolean {
  const values = operationValues(record);
  const changes =
    from === null
      ? db.run(STATEMENTS.insertOperation, ...values)
      : db.run(STATEMENTS.moveOperation, ...values, from);
  return changes === 1;
}

function appended(db: Database, added: readonly NewEvent[]): Event[] {
  if (added.length === 0) return [];
  const last = Number(db.get(STATEMENTS.lastSeq)?.['seq']);

  return added.map((event, index) => {
    const seq = last + 1 + index;
    const { at, type, subject, actor, operation = null, commit = null } = event;
    const what = `an event of ${subject}`;
    const data = toJson(event.data, what);
    db.run(STATEMENTS.insertEvent, seq, at, type, subject, actor, operation, commit, data);
    return checkedEvent({ ...event, seq, data: fromJson(data, what) }, what);
  });
}

function view(db: Database): LedgerView {
  return {
    open: db.all(STATEMENTS.openOperations).map(operationOf),
    rollouts: new Map(db.all(STATEMENTS.rollouts).map(stateOf)),
    analyses: new Map(db.all(STATEMENTS.analyses).map(stateOf)),
  };
}

function events(db: Database, { after = 0, subject, types, limit }: EventQuery): Event[] {
  if (types?.length === 0) return [];
  const statement = eventsStatement({ subject: subject !== undefined, types: types?.length ?? 0 });
  const asked: Value[] = [...(subject === undefined ? [] : [subject]), ...(types ?? [])];
  return db.all(statement, after, Math.max(0, Math.min(limit, EVENTS_AT_MOST)), ...asked).map(eventOf);
}
