import type { Loaded, LoadState } from '@switchback-ml/schemas';

export type LoadedState = Pick<Loaded, 'state' | 'failure' | 'retryAt'>;

const STATES: Readonly<Record<LoadState, string>> = {
  pulling: 'LOADING',
  loading: 'LOADING',
  ready: 'AVAILABLE',
  failed: 'END',
};

/** One entry of TensorFlow Serving's `model_version_status`. */
export function versionStatus(version: string, loaded: LoadedState | undefined): object {
  return { version, state: stateOf(loaded), status: errorOf(loaded) };
}

/** `END` is for good: what will be tried again is still loading. */
function stateOf(loaded: LoadedState | undefined): string {
  if (loaded === undefined) return 'START';
  return loaded.retryAt === undefined ? STATES[loaded.state] : 'LOADING';
}

/** In the terms of google.rpc. */
function errorOf(loaded: LoadedState | undefined): object {
  const failure = loaded?.failure;
  if (failure === undefined) return { error_code: 'OK', error_message: '' };
  return { error_code: 'INTERNAL', error_message: `${failure.code}: ${failure.message}` };
}
