import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import {
  type Artifact,
  ArtifactDigest,
  type Signature,
  VersionDigest,
  versionText,
} from '@switchback-ml/schemas';

/** What is really in a file. */
export type Content = Pick<Artifact, 'sha256' | 'size'>;

export async function readContent(path: string, signal: AbortSignal): Promise<Content> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of createReadStream(path, { signal })) {
    hash.update(chunk as Buffer);
    size += (chunk as Buffer).length;
  }
  return { sha256: ArtifactDigest.parse(hash.digest('hex')), size };
}

/**
 * The version digest of what was loaded: the bytes of the files that a runtime reads, and the signature that the
 * graph itself declares. Of files that only others read, such as a profile, the claim has to do, as for tolerances.
 */
export function attestedDigest(
  claimed: Readonly<Record<string, Artifact>>,
  loaded: Readonly<Record<string, Content>>,
  signature: Signature,
): VersionDigest {
  const artifacts: Record<string, Artifact> = { ...claimed };
  for (const [file, content] of Object.entries(loaded)) artifacts[file] = { ...claimed[file], ...content };
  const text = versionText(artifacts, signature);
  return VersionDigest.parse(`sha256:${createHash('sha256').update(text).digest('hex')}`);
}
