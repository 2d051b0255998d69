import { EnvironmentName, ModelName, VersionDigest, VersionLabel } from '@switchback-ml/schemas';
import { z } from 'zod';
import type { DesiredModel, DesiredState } from '../desired/desired-state.ts';

/** One registered version with what is claimed of it. */
export const VersionEntry = z.object({
  version: VersionLabel,
  digest: VersionDigest,
  /** When the commit that introduced it was made. */
  introducedAt: z.number(),
  evaluation: z.array(
    z.object({
      metric: z.string(),
      value: z.number(),
      on: z.string().optional(),
      slice: z.string().optional(),
      rows: z.number().optional(),
      better: z.enum(['higher', 'lower']),
    }),
  ),
});
export type VersionEntry = z.infer<typeof VersionEntry>;

/** One model of the repository, its versions oldest first, and what each environment asks for; null: nothing. */
export const ModelEntry = z.object({
  name: ModelName,
  folder: z.string(),
  versions: z.array(VersionEntry),
  environments: z.record(EnvironmentName, VersionLabel.nullable()),
});
export type ModelEntry = z.infer<typeof ModelEntry>;

export function modelEntries(desired: DesiredState): ModelEntry[] {
  return [...desired.models.values()]
    .map(model => ({
      name: model.name,
      folder: model.folder,
      versions: versionEntries(model),
      environments: wantedVersions(desired, model.name),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function versionEntries({ versions }: DesiredModel): VersionEntry[] {
  return versions.map(({ label, digest, introducedAt, evaluation }) => ({
    version: label,
    digest,
    introducedAt,
    evaluation: evaluation.map(entry => ({ ...entry })),
  }));
}

function wantedVersions({ environments }: DesiredState, model: ModelName): ModelEntry['environments'] {
  const wanted: ModelEntry['environments'] = {};
  for (const [name, { deployments }] of environments)
    wanted[name] = deployments.get(model)?.wanted?.version ?? null;
  return wanted;
}
