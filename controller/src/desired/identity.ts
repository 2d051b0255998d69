import { createHash } from 'node:crypto';
import {
  type Artifact,
  canonicalJson,
  revisionId,
  type ServingSettings,
  SettingsDigest,
  type Signature,
  VersionDigest,
  versionText,
} from '@switchback-ml/schemas';
import type { DesiredVersion, RevisionSpec } from './desired-state.ts';

/**
 * What a version is: SHA-256 of canonical JSON over its sorted artifacts, their tolerance and the signature.
 * Evaluation, parameters and lineage are claims about it and may be added later.
 */
export function versionDigest(
  artifacts: Readonly<Record<string, Artifact>>,
  signature: Signature,
): VersionDigest {
  return VersionDigest.parse(`sha256:${sha256Hex(versionText(artifacts, signature))}`);
}

export function revision(
  version: Pick<DesiredVersion, 'label' | 'digest' | 'artifacts' | 'signature'>,
  settings: ServingSettings,
): RevisionSpec {
  const settingsDigest = SettingsDigest.parse(`sha256:${sha256Hex(canonicalJson(settings))}`);
  const { label, digest, artifacts, signature } = version;
  return {
    id: revisionId(digest, settingsDigest),
    version: label,
    digest,
    settingsDigest,
    settings,
    artifacts,
    signature,
  };
}

export function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
