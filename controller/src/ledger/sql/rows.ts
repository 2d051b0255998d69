import { CommitSha, type Event, OperationId } from '@switchback-ml/schemas';
import { z } from 'zod';
import { checked, checkedEvent, fromJson, toJson } from '../json.ts';
import type { Lease, OperationRecord } from '../ledger.ts';

/** One row as a driver gives it, before it is believed. */
export type Row = Record<string, unknown>;

/** What a driver binds: the ledger needs no more kinds. */
export type Value = string | number | null;

const LeaseRow = z.object({ holder: z.string(), epoch: z.coerce.number().int(), until_at: z.number() });

const OperationRow = z.object({
  id: OperationId,
  kind: z.enum(['rollback', 'promotion', 'record']),
  subject: z.string(),
  state: z.enum(['intended', 'moved', 'pushed', 'done', 'superseded', 'refused', 'withheld']),
  intent: z.string(),
  result: z.string(),
  created_at: z.number(),
  updated_at: z.number(),
});

const EventRow = z.object({
  seq: z.coerce.number().int(),
  at: z.number(),
  type: z.string(),
  subject: z.string(),
  actor: z.string(),
  operation: OperationId.nullable(),
  commit_sha: CommitSha.nullable(),
  data: z.string(),
});

const StateRow = z.object({ subject: z.string(), state: z.string() });

export function leaseOf(row: Row | undefined): Lease {
  const { holder, epoch, until_at } = checked(LeaseRow, row, 'the lease');
  return { holder, epoch, until: until_at };
}

/** In the order in which the statements that write an operation name its columns. */
export function operationValues(record: OperationRecord): Value[] {
  return [
    record.id,
    record.kind,
    record.subject,
    record.state,
    toJson(record.intent, `the intent of operation ${record.id}`),
    toJson(record.result, `the result of operation ${record.id}`),
    record.createdAt,
    record.updatedAt,
  ];
}

export function operationOf(row: Row): OperationRecord {
  const { intent, result, created_at, updated_at, ...same } = checked(OperationRow, row, 'an operation');
  return {
    ...same,
    intent: fromJson(intent, `the intent of operation ${same.id}`),
    result: fromJson(result, `the result of operation ${same.id}`),
    createdAt: created_at,
    updatedAt: updated_at,
  };
}

export function eventOf(row: Row): Event {
  const { operation, commit_sha, data, ...same } = checked(EventRow, row, 'an event');
  const what = `event ${same.seq}`;
  const event = {
    ...same,
    ...(operation === null ? {} : { operation }),
    ...(commit_sha === null ? {} : { commit: commit_sha }),
    data: fromJson(data, `the data of ${what}`),
  };
  return checkedEvent(event, what);
}

export function stateOf(row: Row): [subject: string, state: unknown] {
  const { subject, state } = checked(StateRow, row, 'a projection');
  return [subject, fromJson(state, `the state of ${subject}`)];
}
