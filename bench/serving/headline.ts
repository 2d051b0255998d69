import { failuresOf } from './load/open.ts';
import { HEAVIEST, LIGHTEST } from './model/models.ts';
import type { NeighboursResult, Results, SubjectResult } from './results.ts';
import { median, medianOfRatios, quantile } from './statistics.ts';

/** The figures that stand for a run: ratios and counts, which mean something on any machine. Null: not measured. */
export interface Headline {
  /** Ours ÷ bare Fastify, in answers a second of the lightest model in JSON: the middle of those by connections. */
  echoRatio: number | null;
  echoRatios: Record<string, number>;
  /** Ours at half of its most. */
  echoP95Ms: number | null;
  /** Rows a second, ours ÷ raw ONNX Runtime with the same threads, of the model that is bound by arithmetic. */
  rawRatioCompute: number | null;
  swapFailed: number | null;
  swaps: number | null;
  swapP99Ratio: number | null;
  killFailed: number | null;
  kills: number | null;
  killP99Ratio: number | null;
  /** From the nudge after a push until the new version answers, in milliseconds: the middle of all. */
  pushMs: number | null;
  pushP95Ms: number | null;
  pushFailed: number | null;
  pushes: number | null;
  /** p50 of a light model beside a busy heavy one ÷ alone. */
  neighboursP50Ratio: number | null;
  /** p99 of those admitted at ten times capacity ÷ p99 at a tenth of it. */
  overloadP99Ratio: number | null;
  overloadFailed: number | null;
}

export function headlineOf({ tables, raw, swap, kill, push, neighbours, overload }: Results): Headline {
  const echo =
    tables.find(({ model, encoding }) => model === LIGHTEST && encoding === 'json')?.subjects ?? [];
  const ours = echo.find(({ role }) => role === 'ours');
  const bare = echo.find(({ name }) => name === 'fastify');
  const echoRatios = ours === undefined || bare === undefined ? {} : ratiosOf(ours, bare);
  const each = Object.values(echoRatios);
  const answeredMs = push?.trails.map(trail => trail.answeredMs);
  return {
    echoRatio: each.length === 0 ? null : rounded(median(each)),
    echoRatios,
    echoP95Ms: ours === undefined ? null : rounded(ours.half.open.answered.p95Ms),
    rawRatioCompute: rounded(raw.find(({ model }) => model === HEAVIEST)?.ratio),
    swapFailed: swap?.failed ?? null,
    swaps: swap?.times ?? null,
    swapP99Ratio: rounded(swap?.p99Ratio),
    killFailed: kill?.failed ?? null,
    kills: kill?.times ?? null,
    killP99Ratio: rounded(kill?.p99Ratio),
    pushMs: rounded(answeredMs && median(answeredMs)),
    pushP95Ms: rounded(answeredMs && quantile(answeredMs, 0.95)),
    pushFailed: push?.failed ?? null,
    pushes: push?.trails.length ?? null,
    neighboursP50Ratio: rounded(neighbours === null ? undefined : besideAlone(neighbours)),
    overloadP99Ratio: rounded(overload?.p99Ratio),
    overloadFailed: overload === null ? null : failuresOf(overload.overloaded),
  };
}

function besideAlone({ alone, beside }: NeighboursResult): number {
  return beside.answered.p50Ms / median(alone.map(({ answered }) => answered.p50Ms));
}

/** By connections. Both were measured in the same rounds. */
export function ratiosOf(one: SubjectResult, other: SubjectResult): Record<string, number> {
  const ratios = one.cells.flatMap(({ connections, rounds }) => {
    const beside = other.cells.find(cell => cell.connections === connections);
    if (beside === undefined) return [];
    const isPaired = beside.rounds.length === rounds.length;
    const ratio = isPaired ? medianOfRatios(rounds, beside.rounds) : median(rounds) / median(beside.rounds);
    return [[String(connections), rounded(ratio)] as const];
  });
  return Object.fromEntries(ratios);
}

/** Three digits behind the point: more is noise. */
function rounded(value: number): number;
function rounded(value: number | undefined): number | null;
function rounded(value: number | undefined): number | null {
  return value === undefined ? null : Number(value.toFixed(3));
}
