import type { Instant, NewEvent, OperationId } from '@switchback-ml/schemas';
import type { OperationRecord, OperationState } from '../ledger/ledger.ts';
import { type Intent, operationId, subjectOfIntent } from '../proposal/intent.ts';
import type { OpenRollback } from '../rollout/rollout-state.ts';

/** What the runner learns on the way; kept with the operation. */
export interface OperationResult {
  commit?: string;
  /** Set where the change waits on a branch for a person. */
  branch?: string;
  reason?: string;
  attempts?: number;
}

export interface Operation extends Omit<OperationRecord, 'intent' | 'result'> {
  intent: Intent;
  result: OperationResult;
}

/** The operations under way, as last written to the ledger. Cycle adds, the runner moves them on. */
export class OpenOperations {
  readonly #open = new Map<OperationId, Operation>();
  /** The last one of each deployment that was met; says why another is not made. */
  readonly #endedRollbacks = new Map<string, Operation>();

  constructor(records: readonly OperationRecord[]) {
    for (const record of records) this.put(record as Operation);
  }

  list(): Operation[] {
    return [...this.#open.values()];
  }

  has(id: OperationId): boolean {
    return this.#open.has(id);
  }

  put(operation: Operation): void {
    const { id, kind, subject, state } = operation;
    if (!isEnded(state)) {
      this.#open.set(id, operation);
      return;
    }
    this.#open.delete(id);
    if (kind === 'rollback') this.#endedRollbacks.set(subject, operation);
  }

  /** The rollback of this deployment that ended, or was withheld, last; null: none that is known of. */
  endedRollback(subject: string): Operation | null {
    return this.#endedRollbacks.get(subject) ?? null;
  }

  /** Rollbacks whose target is last good as long as they are open. */
  rollbacks(): OpenRollback[] {
    return this.list().flatMap(({ id, intent, subject }) =>
      intent.kind === 'rollback' ? [{ operation: id, subject, from: intent.from, to: intent.to }] : [],
    );
  }
}

export function isEnded(state: OperationState): boolean {
  return state === 'done' || state === 'superseded' || state === 'withheld';
}

/** A new operation with the event that tells of it. */
export function intend(
  intent: Intent,
  state: OperationState,
  at: Instant,
): { operation: Operation; event: NewEvent } {
  const operation: Operation = {
    id: operationId(intent),
    kind: intent.kind,
    subject: subjectOfIntent(intent),
    state,
    intent,
    result: {},
    createdAt: at,
    updatedAt: at,
  };
  const actor = intent.kind === 'record' ? 'controller' : intent.by;
  const type = state === 'withheld' ? 'operation.withheld' : 'operation.intended';
  return {
    operation,
    event: { at, type, subject: operation.subject, actor, operation: operation.id, data: told(intent) },
  };
}

function told(intent: Intent): Record<string, unknown> {
  if (intent.kind === 'record')
    return { kind: 'record', outcome: intent.settled.outcome, version: intent.settled.revision.version };
  if (intent.kind === 'promotion')
    return { kind: 'promotion', version: intent.version, replaces: intent.replaces, reason: intent.reason };
  const { from, to, reason, evidence } = intent;
  return { kind: 'rollback', from: from.version, to: to.version, reason, evidence };
}
