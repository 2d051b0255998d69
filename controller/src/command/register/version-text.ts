import { createHash } from 'node:crypto';
import { type Artifact, BlobId, type ModelVersion, type Signature } from '@switchback-ml/schemas';
import { parseManifest } from '../../desired/manifests.ts';
import { SwitchbackError } from '../../error.ts';
import { manifestText } from '../workspace/manifest-text.ts';
import type { Facts } from './facts.ts';

export interface VersionContent {
  artifacts: Record<string, Artifact>;
  signature: Signature;
  facts: Facts;
}

/**
 * The text of version.yaml, read back by the controller's own reader: what is written is what will be understood.
 * Throws E_INPUT with the reader's words.
 */
export function versionText(
  path: string,
  { artifacts, signature, facts }: VersionContent,
): {
  text: string;
  manifest: ModelVersion;
} {
  const text = manifestText('ModelVersion', { artifacts, signature, ...facts });
  const blob = BlobId.parse(createHash('sha1').update(text).digest('hex'));
  const file = { kind: 'manifest', text, blob, mode: '100644' } as const;
  const parsed = parseManifest('version', path, file);
  if (parsed.ok) return { text, manifest: parsed.manifest };
  const [problem] = parsed.problems;
  throw new SwitchbackError(
    'E_INPUT',
    `${problem?.message ?? 'the version is wrong'}. ${problem?.remedy ?? ''}`,
  );
}
