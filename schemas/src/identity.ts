import { z } from 'zod';

/** A DNS label: the one grammar of names, so that a name is safe in paths, URLs, refs, headers and logs. */
export const NAME_PATTERN = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

const name = z.string().regex(NAME_PATTERN, 'must be a DNS label: lower-case letters, digits and "-"');
const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits, quoted');
const digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, 'must be "sha256:" and 64 hexadecimal digits, quoted');

export const ModelName = name.brand<'ModelName'>();
export type ModelName = z.infer<typeof ModelName>;

export const EnvironmentName = name.brand<'EnvironmentName'>();
export type EnvironmentName = z.infer<typeof EnvironmentName>;

/** The human label of a model version: the name of its folder, e.g. `1.3.0`. */
export const VersionLabel = z
  .string()
  .regex(
    /^[0-9A-Za-z](?:[-+._0-9A-Za-z]{0,62}[0-9A-Za-z])?$/,
    'must be a short label such as "1.3.0", quoted',
  )
  .refine(label => !label.includes('..'), 'must not contain ".."')
  .brand<'VersionLabel'>();
export type VersionLabel = z.infer<typeof VersionLabel>;

/** SHA-256 of one artifact's bytes, bare hexadecimal, as in an LFS pointer. */
export const ArtifactDigest = sha256Hex.brand<'ArtifactDigest'>();
export type ArtifactDigest = z.infer<typeof ArtifactDigest>;

/** What a version is: SHA-256 over its artifacts, signature and tolerance. See `versionIdentity`. */
export const VersionDigest = digest.brand<'VersionDigest'>();
export type VersionDigest = z.infer<typeof VersionDigest>;

/** SHA-256 over the effective settings of one deployment. */
export const SettingsDigest = digest.brand<'SettingsDigest'>();
export type SettingsDigest = z.infer<typeof SettingsDigest>;

/**
 * Version digest and settings digest as one short word, `<12 hex>-<8 hex>`: the unit that is rolled out, judged
 * and held. Short because it stands in headers, labels and log lines.
 */
export const RevisionId = z
  .string()
  .regex(/^[0-9a-f]{12}-[0-9a-f]{8}$/)
  .brand<'RevisionId'>();
export type RevisionId = z.infer<typeof RevisionId>;

export const CommitSha = z
  .string()
  .regex(/^[0-9a-f]{40}$/)
  .brand<'CommitSha'>();
export type CommitSha = z.infer<typeof CommitSha>;

/** Git's id of a blob. */
export const BlobId = z
  .string()
  .regex(/^[0-9a-f]{40}$/)
  .brand<'BlobId'>();
export type BlobId = z.infer<typeof BlobId>;

/** First 16 hexadecimal digits of the hash over what the operation is about; stable across restarts. */
export const OperationId = z
  .string()
  .regex(/^[0-9a-f]{16}$/)
  .brand<'OperationId'>();
export type OperationId = z.infer<typeof OperationId>;

/** One life of one runtime process; a restart is a new instance, so its counts begin again at zero. */
export const InstanceId = z
  .string()
  .regex(/^[0-9a-f-]{8,40}$/)
  .brand<'InstanceId'>();
export type InstanceId = z.infer<typeof InstanceId>;

/** Milliseconds since 1970-01-01T00:00Z. */
export type Instant = number;

export function revisionId(version: VersionDigest, settings: SettingsDigest): RevisionId {
  const hex = (digest: string): string => digest.slice('sha256:'.length);
  return RevisionId.parse(`${hex(version).slice(0, 12)}-${hex(settings).slice(0, 8)}`);
}
