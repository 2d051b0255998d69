import { canonicalJson } from './canonical.ts';
import type { Artifact } from './manifest/model-version.ts';
import type { Signature } from './manifest/signature.ts';

/**
 * What a version is, as text: its sorted artifacts with their tolerance, and its signature. SHA-256 of it is the
 * version digest; who desires a version and who has loaded one hash the same text.
 */
export function versionText(artifacts: Readonly<Record<string, Artifact>>, signature: Signature): string {
  const files = Object.entries(artifacts).map(([file, { sha256, size, tolerance }]) => ({
    file,
    sha256,
    size,
    tolerance,
  }));
  files.sort((a, b) => (a.file < b.file ? -1 : 1));
  return canonicalJson({ artifacts: files, signature });
}
