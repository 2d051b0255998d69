import {
  Artifact,
  ArtifactFile,
  Batching,
  Breach,
  CachePolicy,
  Fallback,
  HeaderName,
  type Objectives,
  type ServingSettings,
  Signature,
  TensorName,
  VersionLabel,
} from '@switchback-ml/schemas';
import type { RevisionSpec } from '../desired/desired-state.ts';
import { revision, versionDigest } from '../desired/identity.ts';
import { type Fields, fieldsIn, listIn, numberIn, textIn } from './json-fields.ts';

/** A revision out of a record; both digests are computed again from what the record says they stand for. */
export function recordedRevision(value: unknown): RevisionSpec {
  const said = fieldsIn(value);
  const artifacts = artifactsIn(said['artifacts']);
  const signature = Signature.parse(said['signature']);
  const digest = versionDigest(artifacts, signature);
  const label = VersionLabel.parse(said['version']);
  const spec = revision({ label, digest, artifacts, signature }, settingsIn(said['settings']));
  const isWhole =
    said['digest'] === digest && said['settingsDigest'] === spec.settingsDigest && said['id'] === spec.id;
  if (!isWhole) throw new TypeError('not the revision that its digests name');
  return spec;
}

function artifactsIn(value: unknown): Record<string, Artifact> {
  const entries = Object.entries(fieldsIn(value));
  return Object.fromEntries(entries.map(([name, said]) => [ArtifactFile.parse(name), Artifact.parse(said)]));
}

/** Settings are in units by now, not in the words of a manifest, so no manifest's schema fits. */
function settingsIn(value: unknown): ServingSettings {
  const { limits, engines, batching, cache, rollout, objectives, fallback } = fieldsIn(value);
  return {
    limits: limitsIn(fieldsIn(limits)),
    ...(engines === undefined ? {} : { engines: numberIn(engines) }),
    ...(batching === undefined ? {} : { batching: Batching.parse(batching) }),
    ...(cache === undefined ? {} : { cache: CachePolicy.parse(cache) }),
    rollout: rolloutIn(fieldsIn(rollout)),
    objectives: objectivesIn(fieldsIn(objectives)),
    ...(fallback === undefined ? {} : { fallback: Fallback.parse(fallback) }),
  };
}

function limitsIn({ memoryBytes, timeoutMs, maxBatch, queueRows }: Fields): ServingSettings['limits'] {
  return {
    memoryBytes: numberIn(memoryBytes),
    timeoutMs: numberIn(timeoutMs),
    maxBatch: numberIn(maxBatch),
    ...(queueRows === undefined ? {} : { queueRows: numberIn(queueRows) }),
  };
}

function rolloutIn({ steps, undecided, bake, stickyBy, match, shadow }: Fields): ServingSettings['rollout'] {
  const { afterMs, then } = fieldsIn(undecided);
  if (then !== 'page' && then !== 'continue' && then !== 'rollback')
    throw new TypeError('not what follows a deadline');
  return {
    steps: listIn(steps).map(step => ({ weight: numberIn(fieldsIn(step)['weight']), ...needIn(step) })),
    undecided: { afterMs: numberIn(afterMs), then },
    bake: needIn(bake),
    ...(stickyBy === undefined ? {} : { stickyBy: { header: headerIn(stickyBy) } }),
    ...(match === undefined
      ? {}
      : { match: listIn(match).map(one => ({ header: headerIn(one), is: textIn(fieldsIn(one)['is']) })) }),
    ...(shadow === undefined ? {} : { shadow: numberIn(shadow) }),
  };
}

function headerIn(value: unknown): string {
  return HeaderName.parse(fieldsIn(value)['header']);
}

function needIn(value: unknown): { forMs: number; requests: number } {
  const { forMs, requests } = fieldsIn(value);
  return { forMs: numberIn(forMs), requests: numberIn(requests) };
}

function objectivesIn({ fast, available, valid }: Fields): Objectives {
  return {
    ...(fast === undefined
      ? {}
      : { fast: { under: numberIn(fieldsIn(fast)['under']), ...promiseIn(fieldsIn(fast)) } }),
    ...(available === undefined ? {} : { available: promiseIn(fieldsIn(available)) }),
    ...(valid === undefined ? {} : { valid: validIn(fieldsIn(valid)) }),
  };
}

function validIn({ output, within, ...promise }: Fields): NonNullable<Objectives['valid']> {
  return {
    ...(output === undefined ? {} : { output: TensorName.parse(output) }),
    ...(within === undefined ? {} : { within: rangeIn(within) }),
    ...promiseIn(promise),
  };
}

function rangeIn(value: unknown): [number, number] {
  const [low, high, ...more] = listIn(value);
  if (typeof low === 'number' && typeof high === 'number' && low < high && more.length === 0)
    return [low, high];
  throw new TypeError('not a range');
}

function promiseIn({ target, breach }: Fields): { target: number; breach: Breach } {
  return { target: numberIn(target), breach: Breach.parse(breach) };
}
