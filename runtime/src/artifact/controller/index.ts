import { join } from 'node:path';
import { ARTIFACT_PATH } from '@switchback-ml/schemas';
import { type Clock, systemClock } from '../../clock.ts';
import { messageOf, SwitchbackError } from '../../error.ts';
import type { Artifacts } from '../artifact.ts';
import { openArtifactStore } from '../store.ts';

/** Time to the first byte, and between any two. */
const SILENCE_MS = 15_000;

export interface ControllerSource {
  /** Base URL, without a trailing slash. */
  controller: string;
  token: string;
  stateDir: string;
  clock?: Clock;
  /** Of the folder; what is needed may exceed it. */
  budgetBytes?: number;
  reserveBytes?: number;
}

/** Artifacts pulled by digest from the controller, kept in `<state>/artifacts`. */
export async function controllerArtifacts(source: ControllerSource): Promise<Artifacts> {
  const { controller, token, stateDir, budgetBytes, reserveBytes, clock = systemClock } = source;
  const store = await openArtifactStore({
    folder: join(stateDir, 'artifacts'),
    clock,
    ...(budgetBytes !== undefined && { budgetBytes }),
    ...(reserveBytes !== undefined && { reserveBytes }),
  });
  return {
    async open(artifact, signal) {
      const kept = await store.find(artifact);
      if (kept !== null) return kept;

      const url = controller + ARTIFACT_PATH.replace(':sha256', artifact.sha256);
      try {
        return await store.write(artifact, download(url, token, signal));
      } catch (error) {
        if (error instanceof SwitchbackError) throw error;
        const message = `Artifact ${artifact.sha256.slice(0, 12)} could not be pulled from the controller: ${reasonOf(error)}. It is tried again.`;
        throw new SwitchbackError('E_ARTIFACT_PULL', message, {
          cause: error,
          details: { sha256: artifact.sha256 },
        });
      }
    },
    keepOnly: needed => store.keepOnly(needed),
    // Files outlive the process on purpose; nothing is held open between calls.
    async [Symbol.asyncDispose]() {},
  };
}

async function* download(url: string, token: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const silence = new AbortController();
  const arm = (): NodeJS.Timeout =>
    setTimeout(() => silence.abort(new Error(`no byte for ${SILENCE_MS / 1000} s`)), SILENCE_MS);
  let timer = arm();
  try {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${token}` },
      redirect: 'error',
      signal: AbortSignal.any([signal, silence.signal]),
    });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw new Error(`it answered ${response.status}`);
    }
    for await (const chunk of response.body) {
      clearTimeout(timer);
      timer = arm();
      yield chunk;
    }
  } finally {
    clearTimeout(timer);
  }
}

/** `fetch` hides what happened in `cause`. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return messageOf(cause);
}
