import type { Event, NewEvent } from '@switchback-ml/schemas';
import { checkedEvent, fromJson, toJson } from '../json.ts';
import type { Advance, Advanced } from '../ledger.ts';
import type { OperationStep } from '../rules.ts';
import { operationValues } from '../sql/rows.ts';
import type { Talk } from './session.ts';
import { STATEMENTS } from './statements.ts';

/** What is under the fence: everything of the step, and then the numbers of its events. */
export async function advance(talk: Talk, step: Advance): Promise<Advanced> {
  for (const change of step.operations ?? [])
    if (!(await moved(talk, change))) return { kind: 'conflict', operation: change.record.id };
  await put(talk, step.rollouts, 'rollout', STATEMENTS.putRollouts, STATEMENTS.removeRollouts);
  await put(talk, step.analyses, 'analysis', STATEMENTS.putAnalyses, STATEMENTS.removeAnalyses);
  return { kind: 'advanced', events: await appended(talk, step.events ?? []) };
}

/** Whether the operation was in the state that the step expects. */
async function moved(talk: Talk, { record, from }: OperationStep): Promise<boolean> {
  const values = operationValues(record);
  const { count } =
    from === null
      ? await talk.query(STATEMENTS.insertOperation, ...values)
      : await talk.query(STATEMENTS.moveOperation, ...values, from);
  return count === 1;
}

async function put(
  talk: Talk,
  changes: Advance['rollouts'],
  what: string,
  putAll: string,
  removeAll: string,
): Promise<void> {
  const all = [...(changes ?? [])];
  const kept = all.filter(([, state]) => state !== null);
  const gone = all.filter(([, state]) => state === null).map(([subject]) => subject);
  const texts = kept.map(([subject, state]) => toJson(state, `the ${what} of ${subject}`));
  if (gone.length > 0) await talk.query(removeAll, gone);
  if (kept.length > 0)
    await talk.query(
      putAll,
      kept.map(([subject]) => subject),
      texts,
    );
}

async function appended(talk: Talk, added: readonly NewEvent[]): Promise<Event[]> {
  if (added.length === 0) return [];
  const texts = added.map(({ data, subject }) => toJson(data, whatOf(subject)));
  const column = (of: (event: NewEvent) => string | number | null) => added.map(of);
  const { rows } = await talk.query(
    STATEMENTS.insertEvents,
    column(({ at }) => at),
    column(({ type }) => type),
    column(({ subject }) => subject),
    column(({ actor }) => actor),
    column(({ operation = null }) => operation),
    column(({ commit = null }) => commit),
    texts,
  );
  const first = Number(rows[0]?.['first']);
  // One that could not be read again is found here, and takes the step with it.
  return added.map((event, index) => {
    const what = whatOf(event.subject);
    return checkedEvent({ ...event, seq: first + index, data: fromJson(texts[index] ?? '', what) }, what);
  });
}

function whatOf(subject: string): string {
  return `an event of ${subject}`;
}
