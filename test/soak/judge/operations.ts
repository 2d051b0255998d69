import type { ToldEvent } from '../../faults/world/chronicle.ts';

export interface OperationLife {
  operation: string;
  kind: string;
  subject: string;
  fromMs: number;
  /** Null: it has not ended. */
  untilMs: number | null;
}

const ENDS: readonly string[] = ['operation.done', 'operation.superseded'];

/** Every operation from its intent to its end, as the event log tells. What was withheld never began. */
export function operationLives(events: readonly ToldEvent[]): OperationLife[] {
  const lives = new Map<string, OperationLife>();
  for (const { operation, type, subject, at, data } of events) {
    if (operation === undefined) continue;
    if (type === 'operation.intended') {
      const kind = String(data['kind'] ?? '');
      lives.set(operation, { operation, kind, subject, fromMs: at, untilMs: null });
    }
    const life = lives.get(operation);
    // Nobody merges a record that was refused.
    const isEnd = ENDS.includes(type) || (type === 'operation.refused' && life?.kind === 'record');
    if (life && isEnd) life.untilMs ??= at;
  }
  return [...lives.values()];
}
