import type { Event, OperationId } from '@switchback-ml/schemas';
import { SwitchbackError } from '../../error.ts';
import { checkedEvent, fromJson, toJson } from '../json.ts';
import type { Advance, Advanced, EventQuery, Ledger, LedgerView, OperationRecord } from '../ledger.ts';
import { EVENTS_AT_MOST, isOpen, NO_LEASE, takenLease } from '../rules.ts';

/** Everything as JSON text, so that what is kept and what is handed out never share an object. */
interface Kept {
  operations: Map<OperationId, string>;
  rollouts: Map<string, string>;
  analyses: Map<string, string>;
  events: string[];
  /** How many were there before those. */
  forgotten: number;
}

/** A ledger without a disk, by the same rules; forgets all when its process ends. */
export function memoryLedger(): Ledger {
  let lease = NO_LEASE;
  let kept: Kept = {
    operations: new Map(),
    rollouts: new Map(),
    analyses: new Map(),
    events: [],
    forgotten: 0,
  };
  let isClosed = false;

  return {
    acquire: async (holder, ttlMs, now) => {
      refuseClosed();
      const taken = takenLease(lease, holder, ttlMs, now);
      if (taken.kind === 'acquired') lease = taken.lease;
      return structuredClone(taken);
    },
    renew: async ({ holder, epoch }, ttlMs, now) => {
      refuseClosed();
      if (lease.holder !== holder || lease.epoch !== epoch) return { kind: 'held', by: { ...lease } };
      lease = { ...lease, until: now + ttlMs };
      return { kind: 'acquired', lease: { ...lease } };
    },
    release: async ({ holder, epoch }) => {
      refuseClosed();
      if (lease.holder === holder && lease.epoch === epoch) lease = { ...NO_LEASE, epoch };
    },
    advance: async step => {
      refuseClosed();
      if (lease.epoch !== step.epoch || lease.holder === NO_LEASE.holder) return { kind: 'fenced' };
      const next = copied(kept);
      const outcome = advance(next, step);
      if (outcome.kind === 'advanced') kept = next;
      return outcome;
    },
    read: async () => {
      refuseClosed();
      return view(kept);
    },
    operation: async id => {
      refuseClosed();
      const text = kept.operations.get(id);
      return text === undefined ? null : parsed<OperationRecord>(text);
    },
    recentOperations: async (subject, since) => {
      refuseClosed();
      return operations(kept)
        .filter(record => record.subject === subject && record.createdAt >= since)
        .reverse();
    },
    events: async query => {
      refuseClosed();
      return events(kept, query);
    },
    forgetEvents: async (epoch, before) => {
      refuseClosed();
      if (lease.epoch !== epoch || lease.holder === NO_LEASE.holder) return 0;
      const firstKept = kept.events.findIndex(text => parsed<Event>(text).at >= before);
      const gone = firstKept >= 0 ? firstKept : Math.max(0, kept.events.length - 1);
      kept = { ...kept, events: kept.events.slice(gone), forgotten: kept.forgotten + gone };
      return gone;
    },
    [Symbol.asyncDispose]: async () => {
      isClosed = true;
    },
  };

  function refuseClosed(): void {
    if (isClosed) throw new SwitchbackError('E_LEDGER', 'ledger in memory was closed; open another one');
  }
}

/** Events are added last and in one go, so they need no copy: without one, a long log stays cheap. */
function copied({ operations, rollouts, analyses, ...rest }: Kept): Kept {
  return {
    ...rest,
    operations: new Map(operations),
    rollouts: new Map(rollouts),
    analyses: new Map(analyses),
  };
}

function advance(kept: Kept, step: Advance): Advanced {
  for (const { record, from } of step.operations ?? []) {
    const known = kept.operations.get(record.id);
    const state = known === undefined ? null : parsed<OperationRecord>(known).state;
    if (state !== from) return { kind: 'conflict', operation: record.id };
    const { intent = null, result = null } = record;
    kept.operations.set(record.id, toJson({ ...record, intent, result }, `operation ${record.id}`));
  }
  put(kept.rollouts, step.rollouts, 'rollout');
  put(kept.analyses, step.analyses, 'analysis');

  const first = kept.forgotten + kept.events.length + 1;
  const added = (step.events ?? []).map((event, index) => {
    const what = `an event of ${event.subject}`;
    return toJson(checkedEvent({ ...event, seq: first + index }, what), what);
  });
  kept.events.push(...added);
  return { kind: 'advanced', events: added.map(text => parsed<Event>(text)) };
}

function put(into: Map<string, string>, changes: Advance['rollouts'], what: string): void {
  for (const [subject, state] of changes ?? []) {
    if (state === null) into.delete(subject);
    else into.set(subject, toJson(state, `the ${what} of ${subject}`));
  }
}

function view(kept: Kept): LedgerView {
  const states = (from: Map<string, string>) =>
    new Map(
      [...from].sort(([a], [b]) => order(a, b)).map(([subject, text]) => [subject, parsed<unknown>(text)]),
    );
  return {
    open: operations(kept).filter(isOpen),
    rollouts: states(kept.rollouts),
    analyses: states(kept.analyses),
  };
}

/** Oldest first; the id decides between equals. */
function operations(kept: Kept): OperationRecord[] {
  return [...kept.operations.values()]
    .map(text => parsed<OperationRecord>(text))
    .sort((a, b) => a.createdAt - b.createdAt || order(a.id, b.id));
}

function events(kept: Kept, { after = 0, subject, types, limit }: EventQuery): Event[] {
  return kept.events
    .slice(Math.max(0, after - kept.forgotten))
    .map(text => parsed<Event>(text))
    .filter(event => subject === undefined || event.subject === subject)
    .filter(event => types === undefined || types.includes(event.type))
    .slice(0, Math.max(0, Math.min(limit, EVENTS_AT_MOST)));
}

/** Text of our own making, so its type is known. */
function parsed<T>(text: string): T {
  return fromJson(text, 'an entry') as T;
}

function order(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
