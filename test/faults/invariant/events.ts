import { type Round, violate } from '../round.ts';
import type { ToldEvent } from '../world/chronicle.ts';

const ENDS: readonly string[] = ['operation.done', 'operation.superseded'];
/** An operation goes forward through these, and may leave some out. */
const WAY = ['operation.intended', 'operation.moved', 'operation.refused', 'operation.pushed', ...ENDS];

/** Nothing is missing, nothing comes twice, and each operation went its way from its one beginning to its one end. */
export function checkEvents(round: Round): void {
  const { events } = round.world.chronicle;
  const wrong = events.findIndex((event, index) => event.seq !== index + 1);
  if (wrong >= 0)
    violate(round, 'events in order', `event ${wrong + 1} in place ${wrong + 1}`, `${events[wrong]?.seq}`);
  for (const [operation, own] of waysOf(events)) {
    const way = own.map(({ type }) => type);
    const ranks = way.map(type => WAY.indexOf(type));
    const isInOrder = ranks.every((rank, index) => rank >= 0 && rank > (ranks[index - 1] ?? -1));
    const ended = own.filter(isEnd).length;
    if (way[0] !== WAY[0] || !isInOrder || ended !== 1)
      violate(
        round,
        'operations whole',
        'intended once, ended once, in order',
        `${operation} ${own[0]?.data['kind']} of ${own[0]?.subject}: ${way.join(' → ')}`,
      );
  }
}

/** Operations that have begun and not ended. */
export function openOperations(events: readonly ToldEvent[]): string[] {
  return [...waysOf(events)].filter(([, own]) => !own.some(isEnd)).map(([operation]) => operation);
}

/** Nobody merges a record that was refused. */
function isEnd({ type, data }: ToldEvent): boolean {
  return ENDS.includes(type) || (type === 'operation.refused' && data['kind'] === 'record');
}

function waysOf(events: readonly ToldEvent[]): Map<string, ToldEvent[]> {
  const ways = new Map<string, ToldEvent[]>();
  for (const event of events)
    if (event.operation !== undefined)
      ways.set(event.operation, [...(ways.get(event.operation) ?? []), event]);
  return ways;
}
