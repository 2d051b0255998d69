import type { Instant, NewEvent } from '@switchback-ml/schemas';
import type { DesiredState } from '../desired/desired-state.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type Intent, operationId, subjectOfIntent } from '../proposal/intent.ts';
import { intend, isEnded, type OpenOperations, type Operation } from './open-operations.ts';

export interface Accepted {
  operations: Operation[];
  events: NewEvent[];
}

/**
 * Turns intents into operations to be remembered: each once, ever. A rollback in an environment that only observes,
 * or beyond its rate, is remembered as withheld, so that a person is told once and nothing oscillates.
 */
export async function accept(
  intents: readonly Intent[],
  world: { ledger: Ledger; open: OpenOperations; desired: DesiredState; now: Instant },
): Promise<Accepted> {
  const accepted: Accepted = { operations: [], events: [] };
  for (const intent of intents) {
    const id = operationId(intent);
    if (isUnderWay(intent, world.open) || world.open.has(id)) continue;
    const before = await world.ledger.operation(id);
    if (before !== null) {
      // One of an earlier life: whoever asks why nothing is done finds it here.
      if (isEnded(before.state)) world.open.put(before as Operation);
      continue;
    }
    const withheld = intent.kind === 'rollback' ? await whyWithheld(intent, world) : null;
    const { operation, event } = intend(intent, withheld ? 'withheld' : 'intended', world.now);
    accepted.operations.push(withheld ? { ...operation, result: { reason: withheld } } : operation);
    accepted.events.push(withheld ? { ...event, data: { ...event.data, withheld } } : event);
  }
  return accepted;
}

/** One promotion at a time into a deployment; the runner drops one that the rule no longer allows. */
function isUnderWay(intent: Intent, open: OpenOperations): boolean {
  const subject = subjectOfIntent(intent);
  return (
    intent.kind === 'promotion' &&
    open.list().some(other => other.kind === 'promotion' && other.subject === subject)
  );
}

async function whyWithheld(
  intent: Intent & { kind: 'rollback' },
  { ledger, desired, now }: { ledger: Ledger; desired: DesiredState; now: Instant },
): Promise<string | null> {
  // A person's own word is not rationed.
  if (intent.by !== 'controller') return null;
  const environment = desired.environments.get(intent.environment);
  if (environment?.mode === 'observe')
    return `${intent.environment} is in mode observe: this is what would have been done`;
  if (!environment) return null;
  const { count, windowMs } = environment.rollback.atMost;
  const recent = await ledger.recentOperations(subjectOfIntent(intent), now - windowMs);
  const done = recent.filter(({ kind, state }) => kind === 'rollback' && state !== 'withheld').length;
  if (done < count) return null;
  return `${done} rollbacks in ${Math.round(windowMs / 60_000)} min already: a person should look before the next`;
}
