import { z } from 'zod';
import { ModelName, VersionDigest, VersionLabel } from '../identity.ts';
import { Line, manifest, Text } from './envelope.ts';

/** `environments/<environment>/<model>/release.yaml`: the pin, and nothing else. The file is the deployment. */
export const Release = manifest('Release', {
  version: VersionLabel,
  digest: VersionDigest.optional(),
});
export type Release = z.infer<typeof Release>;

/** `environments/<environment>/<model>/holds/<label>.yaml`: automation may not put this digest here. */
export const Hold = manifest('Hold', {
  digest: VersionDigest,
  /** Of a settings rollback: only this revision is held, the version with other settings is not. */
  settings: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/)
    .optional(),
  reason: Text,
  by: Line.optional(),
  until: z.iso.datetime({ offset: true }).optional(),
  evidence: z.record(z.string().max(100), z.union([z.string().max(500), z.number()])).optional(),
});
export type Hold = z.infer<typeof Hold>;

/** `environments/<environment>/freezes/<name>.yaml`: no promotions into the environment for a time. */
export const Freeze = manifest('Freeze', {
  reason: Text,
  by: Line.optional(),
  until: z.iso.datetime({ offset: true }).optional(),
  /** Absent: every model of the environment. */
  model: ModelName.optional(),
});
export type Freeze = z.infer<typeof Freeze>;
