import type { Event, Instant, OperationId } from '@switchback-ml/schemas';
import type { EventQuery, LedgerView, OperationRecord } from '../ledger.ts';
import { EVENTS_AT_MOST } from '../rules.ts';
import { eventOf, operationOf, stateOf } from '../sql/rows.ts';
import { eventsStatement } from '../sql/statements.ts';
import type { Bound } from './connection.ts';
import type { Talk } from './session.ts';
import { STATEMENTS } from './statements.ts';

export async function view(talk: Talk): Promise<LedgerView> {
  return {
    open: (await talk.query(STATEMENTS.openOperations)).rows.map(operationOf),
    rollouts: new Map((await talk.query(STATEMENTS.rollouts)).rows.map(stateOf)),
    analyses: new Map((await talk.query(STATEMENTS.analyses)).rows.map(stateOf)),
  };
}

export async function operation(talk: Talk, id: OperationId): Promise<OperationRecord | null> {
  const [row] = (await talk.query(STATEMENTS.operation, id)).rows;
  return row === undefined ? null : operationOf(row);
}

export async function recentOperations(
  talk: Talk,
  subject: string,
  since: Instant,
): Promise<OperationRecord[]> {
  return (await talk.query(STATEMENTS.recentOperations, subject, since)).rows.map(operationOf);
}

export async function events(talk: Talk, { after = 0, subject, types, limit }: EventQuery): Promise<Event[]> {
  if (types?.length === 0) return [];
  const statement = eventsStatement({ subject: subject !== undefined, types: types?.length ?? 0 });
  const asked: Bound[] = [...(subject === undefined ? [] : [subject]), ...(types ?? [])];
  const bounded = Math.max(0, Math.min(limit, EVENTS_AT_MOST));
  return (await talk.query(statement, after, bounded, ...asked)).rows.map(eventOf);
}
