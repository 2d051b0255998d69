import type { EnvironmentName, ModelName, ServingSettings } from '@switchback-ml/schemas';
import { z } from 'zod';
import type { RepositoryFile } from '../desired/desired-state.ts';
import { type Document, parseDocument } from '../desired/document.ts';
import { placeOf } from '../desired/place.ts';
import { effectiveSettings, LEFT_OUT } from '../desired/settings.ts';

/** One value that holds, and where it is said. */
export const Setting = z.object({
  /** `limits.memory`, `rollout.canary.steps[0].weight` */
  name: z.string(),
  /** As it is written there. */
  value: z.unknown(),
  /** Null: nobody says it, this is what holds then. */
  path: z.string().nullable(),
  line: z.int().nullable(),
});
export type Setting = z.infer<typeof Setting>;

type Files = ReadonlyMap<string, RepositoryFile>;

/** A part of a document that says something, and the place of that part in it. */
interface Part {
  path: string;
  document: Document;
  at: readonly string[];
}

/** What is replaced whole by whoever says it last: half of a list or of an objective means nothing. */
const UNITS = [
  ['limits', 'memory'],
  ['limits', 'timeout'],
  ['limits', 'maxBatch'],
  ['limits', 'queue'],
  ['engines'],
  ['batching', 'wait'],
  ['cache'],
  ['rollout', 'canary', 'steps'],
  ['rollout', 'canary', 'undecided'],
  ['rollout', 'canary', 'stickyBy'],
  ['rollout', 'canary', 'match'],
  ['rollout', 'canary', 'shadow'],
  ['rollout', 'bake'],
  ['objectives', 'fast'],
  ['objectives', 'available'],
  ['objectives', 'valid'],
  ['fallback'],
] as const;

/** Its keys are names of tensors, which may hold dots: told as one value, as no name of a field could tell them apart. */
const OUTPUTS = 'fallback.outputs';

/** What holds within a unit that does not say it. */
const WITHIN: Readonly<Record<string, object>> = {
  cache: { size: '16Mi' },
  undecided: { then: 'page' },
  fast: { breach: 'notify' },
  available: { breach: 'notify' },
  valid: { breach: 'notify' },
};

/** How a deployment is run: environment defaults, the model's own, the environment's for the model; later ones win. */
export function servingSettings(
  files: Files,
  { environment, model }: { environment: EnvironmentName; model?: ModelName | undefined },
): Setting[] {
  const parts = servingParts(files, environment, model).toReversed();
  const whole = wholeDefaults(effectiveSettings([]));
  return UNITS.flatMap(unit => {
    const name = unit.join('.');
    const part = parts.find(candidate => memberAt(candidate, unit) !== undefined);
    if (!part) return leaves(name, memberIn(whole, unit)).map(unsaid);
    const value = memberAt(part, unit);
    const missing = Object.entries(WITHIN[unit.at(-1) ?? ''] ?? {}).filter(([key]) => !hasKey(value, key));
    return [
      ...saidIn(part, unit),
      ...missing.map(([key, word]) => unsaid({ name: `${name}.${key}`, value: word })),
    ];
  });
}

/** What an environment allows, and how: mode, promotion, gates, rollback. */
export function policySettings(files: Files, environment: EnvironmentName): Setting[] {
  const part = partOf(files, `environments/${environment}/environment.yaml`, []);
  if (!part) return [];
  const {
    apiVersion: _,
    kind: __,
    defaults: ___,
    description: ____,
    ...said
  } = objectIn(part.document.value);
  const promotion = objectIn(said['promotion']);
  const defaults = {
    mode: 'propose',
    ...(promotion['by'] === 'pull-request' ? { promotion: { merge: 'person', approvals: 1 } } : {}),
    rollback: { write: 'push-else-pull-request', atMost: '2 per 1h' },
  };
  const names = new Set(leaves('', said).map(({ name }) => name));
  const missing = leaves('', defaults).filter(({ name }) => !names.has(name));
  return [...Object.keys(said).flatMap(key => saidIn(part, [key])), ...missing.map(unsaid)].sort((a, b) =>
    a.name < b.name ? -1 : 1,
  );
}

/** The fields of one file. */
export function fileSettings(files: Files, path: string, prefix: string): Setting[] {
  const part = partOf(files, path, []);
  const { apiVersion: _, kind: __, ...said } = objectIn(part?.document.value);
  return part ? Object.keys(said).flatMap(key => saidIn(part, [key], prefix)) : [];
}

function servingParts(files: Files, environment: EnvironmentName, model: ModelName | undefined): Part[] {
  const paths = model === undefined ? [] : [...files.keys()];
  const isOf = (kind: string) => (path: string) => {
    const place = placeOf(path);
    if (place.kind !== kind || !('model' in place) || place.model !== model) return false;
    return !('environment' in place) || place.environment === environment;
  };
  return [
    partOf(files, `environments/${environment}/environment.yaml`, ['defaults']),
    ...paths.filter(isOf('serving')).map(path => partOf(files, path, [])),
    ...paths.filter(isOf('environment-serving')).map(path => partOf(files, path, [])),
  ].filter(part => part !== null);
}

function partOf(files: Files, path: string, at: readonly string[]): Part | null {
  const file = files.get(path);
  const read = file?.kind === 'manifest' ? parseDocument(file.text) : null;
  return read && 'document' in read ? { path, document: read.document, at } : null;
}

function saidIn({ path, document, at }: Part, within: readonly string[], prefix = ''): Setting[] {
  const value = memberIn(document.value, [...at, ...within]);
  return leaves(prefix + within.join('.'), value).map(({ name, value, keys }) => ({
    name,
    value,
    path,
    line: document.lineOf([...at, ...within, ...keys]) ?? null,
  }));
}

interface Leaf {
  name: string;
  value: unknown;
  /** From where the leaves began. */
  keys: readonly (string | number)[];
}

/** Values that hold no others; a list of plain values is one. */
function leaves(name: string, value: unknown, keys: Leaf['keys'] = []): Leaf[] {
  const isPlain = (part: unknown): boolean => part === null || typeof part !== 'object';
  if (value === undefined) return [];
  if (isPlain(value) || name === OUTPUTS || (Array.isArray(value) && value.every(isPlain)))
    return [{ name, value, keys }];
  if (Array.isArray(value))
    return value.flatMap((member, index) => leaves(`${name}[${index}]`, member, [...keys, index]));
  return Object.entries(value as object).flatMap(([key, member]) =>
    leaves(name === '' ? key : `${name}.${key}`, member, [...keys, key]),
  );
}

function unsaid({ name, value }: Pick<Leaf, 'name' | 'value'>): Setting {
  return { name, value, path: null, line: null };
}

function memberAt({ document, at }: Part, keys: readonly string[]): unknown {
  return memberIn(document.value, [...at, ...keys]);
}

function memberIn(value: unknown, keys: readonly string[]): unknown {
  return keys.reduce<unknown>((found, key) => objectIn(found)[key], value);
}

function objectIn(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

function hasKey(value: unknown, key: string): boolean {
  return key in objectIn(value);
}

/** What holds where nobody says anything, in the words of a manifest. */
function wholeDefaults({ limits, rollout }: ServingSettings): object {
  const { undecided, bake } = rollout;
  return {
    limits: {
      memory: sizeText(limits.memoryBytes),
      timeout: durationText(limits.timeoutMs),
      maxBatch: limits.maxBatch,
      queue: LEFT_OUT.queueRows,
    },
    engines: LEFT_OUT.engines,
    batching: { wait: `${LEFT_OUT.waitMs}s` },
    rollout: {
      canary: {
        steps: [],
        undecided: { after: durationText(undecided.afterMs), then: undecided.then },
        match: [],
        shadow: `${LEFT_OUT.shadow}%`,
      },
      bake: { for: durationText(bake.forMs), requests: bake.requests },
    },
  };
}

function sizeText(bytes: number): string {
  return bytes % 2 ** 20 === 0 ? `${bytes / 2 ** 20}Mi` : String(bytes);
}

function durationText(ms: number): string {
  const units: readonly [number, string][] = [
    [3_600_000, 'h'],
    [60_000, 'm'],
    [1000, 's'],
  ];
  const [unitMs, unit] = units.find(([size]) => ms % size === 0) ?? [1, 'ms'];
  return `${ms / unitMs}${unit}`;
}
