import { readFile, stat } from 'node:fs/promises';
import { ModelVersion } from '@switchback-ml/schemas';
import { parse } from 'yaml';
import { z } from 'zod';
import { messageOf, SwitchbackError } from '../../error.ts';

const LARGEST_BYTES = 1024 * 1024;

/** What is known about a version beside its bytes: claims that gates and people read. */
export const Facts = ModelVersion.pick({
  framework: true,
  parameters: true,
  lineage: true,
  evaluation: true,
});
export type Facts = z.infer<typeof Facts>;
type Evaluation = NonNullable<z.input<typeof Facts>['evaluation']>[number];

/** As a person gives them; each is a file, or where it says so the thing itself. */
export interface FactSources {
  /** A file with any of framework, parameters, lineage, evaluation. The others below go before it. */
  facts?: string | undefined;
  /** A file, or `auc=0.99,log_loss=0.09:lower`. */
  metrics?: string | undefined;
  /** A file, or `depth=3,rate=0.1`. */
  params?: string | undefined;
  lineage?: string | undefined;
  /** `scikit-learn@1.9` */
  framework?: string | undefined;
}

/** Throws E_INPUT naming the source and what is wrong with it. */
export async function readFacts(sources: FactSources): Promise<Facts> {
  const { facts, metrics, params, lineage, framework } = sources;
  const all = facts === undefined ? {} : readAs(Facts, await readValue(facts), facts);
  return readAs(
    Facts,
    {
      ...all,
      ...(framework === undefined ? {} : { framework: parseFramework(framework) }),
      ...(params === undefined ? {} : { parameters: await readParameters(params) }),
      ...(lineage === undefined ? {} : { lineage: unwrapped(await readValue(lineage), 'lineage') }),
      ...(metrics === undefined ? {} : { evaluation: await readEvaluation(metrics) }),
    },
    'what is known of the version',
  );
}

/** `name=value` pairs are told from a file name by the sign of equality. */
function isInline(source: string): boolean {
  return /^[^/\\]+=/.test(source);
}

function pairs(source: string): [string, string][] {
  return source.split(',').map(pair => {
    const at = pair.indexOf('=');
    if (at > 0 && at < pair.length - 1) return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
    throw new SwitchbackError('E_USAGE', `${JSON.stringify(pair)} is not of the form name=value.`);
  });
}

function parseFramework(text: string): { name: string; version?: string } {
  const at = text.lastIndexOf('@');
  return at > 0 ? { name: text.slice(0, at), version: text.slice(at + 1) } : { name: text };
}

async function readParameters(source: string): Promise<unknown> {
  if (!isInline(source)) return unwrapped(await readValue(source), 'parameters');
  return Object.fromEntries(pairs(source).map(([name, value]) => [name, scalar(value)]));
}

function scalar(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(text) ? Number(text) : text;
}

/** A list as in version.yaml, a map of names to values, or inline. */
async function readEvaluation(source: string): Promise<readonly Evaluation[]> {
  if (isInline(source)) return pairs(source).map(([metric, value]) => inlineMetric(metric, value));
  const value = unwrapped(await readValue(source), 'evaluation');
  if (Array.isArray(value)) return value;
  const values = readAs(z.record(z.string(), z.number()), value, source);
  return Object.entries(values).map(([metric, number]) => ({ metric, value: number }));
}

function inlineMetric(metric: string, text: string): Evaluation {
  const [, number, better] = /^([^:]+)(?::(higher|lower))?$/.exec(text) ?? [];
  const value = scalar(number ?? '');
  if (typeof value !== 'number')
    throw new SwitchbackError(
      'E_USAGE',
      `${metric}=${text} is no metric; write ${metric}=0.99, and ${metric}=0.09:lower where lower is better.`,
    );
  return { metric, value, ...(better === 'lower' ? { better: 'lower' as const } : {}) };
}

/** A file that holds one thing may hold it under its own name, so that one facts file serves several options. */
function unwrapped(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && name in value
    ? (value as Record<string, unknown>)[name]
    : value;
}

/** YAML, and so JSON as well. */
async function readValue(file: string): Promise<unknown> {
  try {
    if ((await stat(file)).size > LARGEST_BYTES) throw new Error('it is larger than 1 MiB');
    return parse(await readFile(file, 'utf8'), { maxAliasCount: 0 });
  } catch (cause) {
    throw new SwitchbackError('E_INPUT', `${file} can not be read: ${messageOf(cause)}.`, { cause });
  }
}

function readAs<Value>(schema: z.ZodType<Value>, value: unknown, where: string): Value {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const field = issue?.path.map(String).join('.') || 'it';
  throw new SwitchbackError('E_INPUT', `${where}: ${field}: ${issue?.message ?? 'is wrong'}.`, {
    cause: read.error,
  });
}
