import type { Backend, Loaded, RepositoryState, UnreadyReason } from '@switchback-ml/schemas';

/** How one version stands here, in the protocol's words. */
export interface VersionState {
  state: RepositoryState;
  /** Where it is ready, none but that it sleeps. */
  reasons: readonly UnreadyReason[];
}

export interface StateOptions {
  isReady: (model: string, backend: Backend) => boolean;
  /** What is known of a revision that is to be served here; undefined: nothing was begun yet. */
  loaded?: (model: string, backend: Backend) => Pick<Loaded, 'state' | 'failure' | 'asleep'> | undefined;
}

export function versionState(options: StateOptions, model: string, backend: Backend): VersionState {
  const loaded = options.loaded?.(model, backend);
  if (options.isReady(model, backend)) return { state: 'READY', reasons: loaded?.asleep ? [ASLEEP] : [] };
  switch (loaded?.state) {
    case 'pulling':
      return waiting('Its artifacts are being fetched.');
    case 'loading':
      return waiting('It is being loaded and tried.');
    case 'failed':
      return { state: 'UNAVAILABLE', reasons: [loaded.failure ?? NOT_READY] };
    default:
      return { state: 'UNAVAILABLE', reasons: [NOT_READY] };
  }
}

/** It can answer, and that takes longer this once. */
const ASLEEP: UnreadyReason = { code: 'asleep', message: 'Its first request wakes it, and waits for that.' };
const NOT_READY: UnreadyReason = { code: 'E_MODEL_NOT_READY', message: 'It is not ready.' };

function waiting(message: string): VersionState {
  return { state: 'LOADING', reasons: [{ code: 'E_MODEL_NOT_READY', message }] };
}
