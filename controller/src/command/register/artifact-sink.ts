import { SwitchbackError } from '../../error.ts';
import { lfsEndpoint } from '../../repository/lfs/address.ts';
import { lfsClient } from '../../repository/lfs/client.ts';
import { lfsDirectory } from '../../repository/lfs/local-directory.ts';
import type { OnProgress, TransferProgress } from '../../repository/lfs/transfer-progress.ts';
import { isLoopback, parseRemoteUrl } from '../../repository/remote-url.ts';
import type { ArtifactSink } from '../../repository/repository.ts';
import type { Progress } from '../progress.ts';
import type { Person } from '../workspace/person.ts';
import type { RepositoryTarget } from '../workspace/target.ts';
import { gitCredential, lfsBySsh } from './lfs-access.ts';

export interface SinkOptions {
  target: RepositoryTarget;
  /** The LFS endpoint, where it is not the repository's own. */
  lfs: string | undefined;
  person: Person;
  /** Told how much has gone up. */
  progress?: Progress;
  signal: AbortSignal;
}

/** Where large files of the model repository go, with the person's own rights. */
export async function openArtifactSink(options: SinkOptions): Promise<ArtifactSink> {
  const { target, lfs, person, progress = () => {}, signal } = options;
  const onProgress = inWords(progress);
  const remote = parseRemoteUrl(target.url, { allowFile: target.isDirectory });
  if (lfs === undefined && remote.kind === 'file') return lfsDirectory({ repository: remote.path });
  if (lfs === undefined && remote.kind === 'ssh')
    return lfsClient({ ...(await lfsBySsh(remote.url, person, signal)), onProgress });
  const url = lfs ?? lfsEndpoint(remote) ?? remote.url;
  const authorization = await authorizationFor(url, person, signal);
  return lfsClient({ url, onProgress, ...(authorization === null ? {} : { authorization }) });
}

/** All files together: a person waits for the whole. */
function inWords(progress: Progress): OnProgress {
  const objects = new Map<string, TransferProgress>();
  return told => {
    objects.set(told.digest, told);
    const all = [...objects.values()];
    const bytes = all.reduce((sum, object) => sum + object.bytes, 0);
    const totalBytes = all.reduce((sum, object) => sum + object.totalBytes, 0);
    progress(`uploading: ${megabytes(bytes)} of ${megabytes(totalBytes)} MB`);
  };
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

async function authorizationFor(text: string, person: Person, signal: AbortSignal): Promise<string | null> {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    throw new SwitchbackError(
      'E_USAGE',
      '--lfs must be an http address such as https://host/team/models.git/info/lfs.',
    );
  // Plain http is for this machine alone, and what listens there asks for nothing.
  return isLoopback(url.hostname) ? null : gitCredential(url, person, signal);
}
