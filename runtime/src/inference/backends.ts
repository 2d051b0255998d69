import type { Backend, ModelName, VersionLabel } from '@switchback-ml/schemas';
import { SwitchbackError } from '../error.ts';
import type { Serving } from '../serving.ts';

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
  const models = Object.keys(serving.snapshot?.routes ?? {});
  const message = `There is no model "${model}" here; there is ${models.join(', ') || 'none'}.`;
  return new SwitchbackError('E_MODEL_UNKNOWN', message, { details: { models } });
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
