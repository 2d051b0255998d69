import { type ClosedResult, closedLoad } from '../load/closed.ts';
import type { Cell } from '../results.ts';
import { median } from '../statistics.ts';
import type { Dialect, Subject } from '../subject/subject.ts';
import { usageOf } from '../usage/processes.ts';

export interface Round extends ClosedResult {
  frontUs: number;
  engineUs: number;
}

export interface RoundOptions {
  connections: number;
  forMs: number;
  scratch: string;
  signal: AbortSignal;
}

/** One round of closed load, with the processor time it cost the subject. */
export async function measureRound(
  subject: Subject,
  dialect: Dialect,
  options: RoundOptions,
): Promise<Round> {
  const { front, engine } = subject.processes();
  const before = { front: usageOf(front).cpuUs, engine: usageOf(engine).cpuUs };
  const closed = await closedLoad(dialect, options);
  const requests = Math.max(1, closed.requests);
  return {
    ...closed,
    frontUs: (usageOf(front).cpuUs - before.front) / requests,
    engineUs: (usageOf(engine).cpuUs - before.engine) / requests,
  };
}

export function cellOf(connections: number, rounds: readonly Round[]): Cell {
  const middle = (of: (round: Round) => number): number => median(rounds.map(of));
  return {
    connections,
    perSecond: middle(({ perSecond }) => perSecond),
    p50Ms: middle(({ p50Ms }) => p50Ms),
    p99Ms: middle(({ p99Ms }) => p99Ms),
    frontUs: middle(({ frontUs }) => frontUs),
    engineUs: middle(({ engineUs }) => engineUs),
    failed: rounds.reduce((sum, { refused, broken }) => sum + refused + broken, 0),
    rounds: rounds.map(({ perSecond }) => perSecond),
  };
}
