import type { RepositoryFile } from '../../desired/desired-state.ts';
import { parseRemoteUrl } from '../remote-url.ts';
import type { CommitSource } from '../repository.ts';
import { lfsEndpoint } from './address.ts';
import { lfsClient } from './client.ts';
import { gitBlobs } from './git-blob.ts';
import { lfsDirectory } from './local-directory.ts';
import type { ResumableSource } from './resumable-source.ts';

export interface ArtifactSourceSettings {
  /** Of the git repository, or its folder on this machine. */
  url: string;
  isDirectory: boolean;
  /** Where the operator says LFS is; null: beside the repository. */
  lfsUrl: string | null;
  /** Hosts beside it that the operator lets it name for its objects, as a store in the cloud. */
  allowedHosts?: readonly string[];
  /** The repository's own. */
  authorization?: string;
  commits: Pick<CommitSource, 'readBlob'>;
  /** Of the newest tree. */
  files: () => ReadonlyMap<string, RepositoryFile>;
}

/** Weights come from git itself where they were committed raw, else from LFS where the operator says it is. */
export function artifactSource(settings: ArtifactSourceSettings): ResumableSource {
  const lfs = lfsOf(settings);
  return gitBlobs({
    commits: settings.commits,
    find: digest => {
      for (const file of settings.files().values())
        if (file.kind === 'raw' && file.digest === digest) return file.blob;
      return null;
    },
    ...(lfs === null ? {} : { otherwise: lfs }),
  });
}

function lfsOf(settings: ArtifactSourceSettings): ResumableSource | null {
  const { url, isDirectory, lfsUrl, authorization, allowedHosts = [] } = settings;
  if (lfsUrl === null && isDirectory) return lfsDirectory({ repository: url });
  const endpoint = lfsUrl ?? lfsEndpoint(parseRemoteUrl(url, { allowFile: false }));
  if (endpoint === null) return null;
  // The rights are the repository's; an LFS server elsewhere must not learn them.
  const isSameHost = !isDirectory && URL.parse(endpoint)?.origin === URL.parse(url)?.origin;
  return lfsClient({
    url: endpoint,
    allowedHosts,
    ...(isSameHost && authorization !== undefined ? { authorization } : {}),
  });
}
