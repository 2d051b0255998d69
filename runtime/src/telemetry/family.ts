import type { Metric, Registry } from 'prom-client';
import type { Histogram } from './histogram.ts';

export type Labels = Readonly<Record<string, string>>;

/** One metric with all its series, as they are when it is looked at. */
export type Family = { name: string; help: string } & (
  | { type: 'counter' | 'gauge'; collect(): Iterable<readonly [Labels, number]> }
  | { type: 'histogram'; collect(): Iterable<readonly [Labels, Histogram]> }
);

interface Value {
  metricName?: string;
  labels: Readonly<Record<string, string | number>>;
  /** Printed by prom-client only once for an object that it meets again. */
  sharedLabels?: Readonly<Record<string, string | number>>;
  value: number;
}

interface Shown {
  name: string;
  help: string;
  type: string;
  aggregator: 'sum';
  values: Value[];
}

/**
 * Has the registry show what is counted elsewhere. It asks its metrics for nothing but this; its types know only
 * metrics that hold their own numbers.
 */
export function expose(registry: Registry, families: readonly Family[]): void {
  const turn = turns();
  for (const family of families) registry.registerMetric(shown(family, turn) as unknown as Metric);
}

/** Each in a turn of the event loop of its own, so that requests need not wait for a whole page. */
function turns(): () => Promise<void> {
  let last = Promise.resolve();
  return () => {
    last = last.then(() => new Promise(resolve => setImmediate(resolve)));
    return last;
  };
}

function shown(family: Family, turn: () => Promise<void>): object {
  const { name, help, type } = family;
  const valuesOf = family.type === 'histogram' ? bucketValues(family) : plainValues(family);
  const get = async (): Promise<Shown> => {
    await turn();
    return { name, help, type, aggregator: 'sum', values: valuesOf() };
  };
  return {
    name,
    help,
    type,
    getForPromString: get,
    async get(): Promise<Shown> {
      const { values, ...rest } = await get();
      return { ...rest, values: values.map(splayed) };
    },
    reset(): void {},
  };
}

function plainValues(family: Family & { type: 'counter' | 'gauge' }): () => Value[] {
  return () => Array.from(family.collect(), ([labels, value]) => ({ labels, value }));
}

/** Labels of one histogram as they are printed: with each bound, then without. */
interface Printed {
  bounds: readonly Value['labels'][];
  labels: Labels;
}

const NOTHING = {};

/** Cumulative, as the format wants them. A page has thousands of these lines, so their labels are made once. */
function bucketValues(family: Family & { type: 'histogram' }): () => Value[] {
  const [bucket, sum, count] = ['bucket', 'sum', 'count'].map(part => `${family.name}_${part}`);
  const made = new WeakMap<Histogram, Printed>();
  return () => {
    const values: Value[] = [];
    for (const [labels, histogram] of family.collect()) {
      const printed = made.get(histogram) ?? printedOf(labels, histogram);
      made.set(histogram, printed);
      let seen = 0;
      for (const [index, sharedLabels] of printed.bounds.entries()) {
        seen += histogram.counts[index]!;
        values.push({ metricName: bucket!, labels: NOTHING, sharedLabels, value: seen });
      }
      const sharedLabels = printed.labels;
      values.push({ metricName: sum!, labels: NOTHING, sharedLabels, value: histogram.sum });
      values.push({ metricName: count!, labels: NOTHING, sharedLabels, value: seen });
    }
    return values;
  };
}

function printedOf(labels: Labels, { bounds }: Histogram): Printed {
  return { bounds: [...bounds, '+Inf'].map(le => ({ le, ...labels })), labels };
}

function splayed({ sharedLabels, labels, ...rest }: Value): Value {
  return { ...rest, labels: { ...sharedLabels, ...labels } };
}
