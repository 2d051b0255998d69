import type { Backend, ModelName, VersionLabel } from '@switchback-ml/schemas';
import { SwitchbackError } from '../error.ts';
import type { Serving } from '../serving.ts';

const MOST_TOLD = 5;
/** Of what a stranger asks for. */
const LONGEST_COMPARED = 200;

/** The backend that tells what a model takes: a version's own, or the one with most traffic. */
export function describe(serving: Serving, model: string, version: string | null): Backend | SwitchbackError {
  const backends = backendsOf(serving, model);
  const found =
    version === null
      ? backends.toSorted((a, b) => b.weight - a.weight)[0]
      : backends.find(backend => backend.version === version);
  return found ?? notServed(serving, model, version);
}

export function versionsOf(serving: Serving, model: string): VersionLabel[] {
  return [...new Set(backendsOf(serving, model).map(({ version }) => version))];
}

/** Why nobody can answer, with what there is instead. */
export function notServed(serving: Serving, model: string, version: string | null): SwitchbackError {
  const versions = versionsOf(serving, model);
  if (version !== null && versions.length > 0) {
    const message = `Model "${model}" has no version "${version}" here; it has ${versions.join(', ')}.`;
    return new SwitchbackError('E_MODEL_UNKNOWN', message, { details: { versions } });
  }
  if (versions.length > 0)
    return new SwitchbackError(
      'E_MODEL_NOT_READY',
      `No version of model "${model}" is ready yet; try again in a moment.`,
    );
  const all = Object.keys(serving.snapshot?.routes ?? {});
  const models = nearest(model, all);
  const message = `There is no model "${model}" here; there is ${listed(models, all.length)}.`;
  return new SwitchbackError('E_MODEL_UNKNOWN', message, { details: { models, count: all.length } });
}

/** As many names as a person wants to read: those that begin and end most like what was asked for, likest first. */
export function nearest(asked: string, names: readonly string[]): string[] {
  if (names.length <= MOST_TOLD) return [...names];
  const name = asked.slice(0, LONGEST_COMPARED).toLowerCase();
  const best: { name: string; alike: number }[] = [];
  for (const other of names) {
    const alike = likeness(name, other.toLowerCase());
    const at = best.findIndex(kept => kept.alike < alike);
    if (at === -1 && best.length >= MOST_TOLD) continue;
    best.splice(at === -1 ? best.length : at, 0, { name: other, alike });
    if (best.length > MOST_TOLD) best.pop();
  }
  return best.map(kept => kept.name);
}

/** `count`: how many there are in all. */
export function listed(names: readonly string[], count: number): string {
  const others = count - names.length;
  return `${names.join(', ') || 'none'}${others > 0 ? ` and ${others} more` : ''}`;
}

/** Letters in common at the beginning and at the end: for one mistyped letter all but that, at no more than their sum. */
function likeness(one: string, other: string): number {
  const most = Math.min(one.length, other.length);
  let before = 0;
  while (before < most && one[before] === other[before]) before++;
  let after = 0;
  while (after < most - before && one.at(-1 - after) === other.at(-1 - after)) after++;
  return before + after;
}

/** Of the route as it is applied; then what the newest snapshot has besides. */
function backendsOf(serving: Serving, model: string): Backend[] {
  const name = model as ModelName;
  const applied = serving.routes.get(name)?.backends ?? [];
  const wanted = Object.hasOwn(serving.snapshot?.routes ?? {}, model)
    ? serving.snapshot!.routes[name]!.backends
    : [];
  return [
    ...applied,
    ...wanted.filter(({ revision }) => applied.every(known => known.revision !== revision)),
  ];
}
