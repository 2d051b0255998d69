import type { Backend, Indicator, ModelName, RevisionCounts } from '@switchback-ml/schemas';
import { isFixed, type Tensor, type Tensors } from '../engine/tensor.ts';

/** Of revisions; the oldest make room. Far more than an instance meets in its life. */
const MOST_REVISIONS = 10_000;

/** One routed try of one revision at one request. */
export interface Attempt {
  model: ModelName;
  backend: Pick<Backend, 'revision' | 'indicators'>;
  durationMs: number;
  /** Null: it did not answer. */
  answer: Answer | null;
}

export interface Wait extends Pick<Attempt, 'model' | 'backend'> {
  waitedMs: number;
}

export interface Answer {
  outputs: Tensors;
  /** Names of the outputs that hold a NaN or an infinity. */
  nonFinite: readonly string[];
}

/** Cumulative counts of attempts per revision since this instance started. */
export class Counts {
  readonly #revisions = new Map<string, RevisionCounts>();

  add({ model, backend, durationMs, answer }: Attempt): void {
    const counts = this.#of(model, backend);
    counts.attempts++;
    if (answer === null) counts.failures++;
    else if (answer.nonFinite.length > 0) counts.nonFinite++;

    for (const indicator of backend.indicators) {
      counts.indicators[indicator.kind] ??= { good: 0, total: 0 };
      const tally = counts.indicators[indicator.kind]!;
      tally.total++;
      if (answer !== null && isGood(indicator, { backend, durationMs, answer })) tally.good++;
    }
  }

  /** One that was not begun within its caller's time: what is known is that it waited so long, and nothing else. */
  addWait({ model, backend, waitedMs }: Wait): void {
    for (const indicator of backend.indicators) {
      if (indicator.kind !== 'fast' || waitedMs < indicator.underMs) continue;
      const { indicators } = this.#of(model, backend);
      indicators.fast ??= { good: 0, total: 0 };
      indicators.fast.total++;
    }
  }

  all(): RevisionCounts[] {
    return structuredClone([...this.#revisions.values()]);
  }

  #of(model: ModelName, { revision }: Attempt['backend']): RevisionCounts {
    const key = `${model}/${revision}`;
    const known = this.#revisions.get(key);
    if (known !== undefined) return known;
    const counts: RevisionCounts = {
      model,
      revision,
      attempts: 0,
      failures: 0,
      nonFinite: 0,
      indicators: {},
    };
    const [oldest] = this.#revisions.keys();
    if (oldest !== undefined && this.#revisions.size >= MOST_REVISIONS) this.#revisions.delete(oldest);
    this.#revisions.set(key, counts);
    return counts;
  }
}

/** Names of the outputs that hold a NaN or an infinity. */
export function nonFiniteOutputs(outputs: Tensors): string[] {
  return [...outputs].filter(([, tensor]) => !isFiniteTensor(tensor)).map(([name]) => name);
}

function isFiniteTensor({ data }: Tensor): boolean {
  const isFloat =
    data instanceof Float32Array || data instanceof Float64Array || data instanceof Float16Array;
  return !isFloat || data.every(Number.isFinite);
}

function isGood(
  indicator: Indicator,
  { backend, durationMs, answer }: Pick<Attempt, 'backend' | 'durationMs'> & { answer: Answer },
): boolean {
  switch (indicator.kind) {
    case 'fast':
      return durationMs < indicator.underMs;
    case 'available':
      return answer.nonFinite.every(output => backend.indicators.some(other => judges(other, output)));
    case 'valid':
      return isValid(indicator, answer);
    default:
      return indicator satisfies never;
  }
}

/** A NaN is always a bad event: of the objective that looks at the output, else of being available. */
function judges(indicator: Indicator, output: string): boolean {
  return indicator.kind === 'valid' && (indicator.output === undefined || indicator.output === output);
}

function isValid(
  { output, within }: Extract<Indicator, { kind: 'valid' }>,
  { outputs, nonFinite }: Answer,
): boolean {
  const judged = [...outputs].filter(([name]) => output === undefined || name === output);
  if (judged.length === 0) return false;
  return judged.every(
    ([name, tensor]) => !nonFinite.includes(name) && (within === undefined || isWithin(tensor, within)),
  );
}

function isWithin({ data }: Tensor, [low, high]: readonly [number, number]): boolean {
  if (!isFixed(data)) return true;
  for (const value of data) if (Number(value) < low || Number(value) > high) return false;
  return true;
}
