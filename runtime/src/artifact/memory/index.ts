import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../clock.ts';
import { SwitchbackError } from '../../error.ts';
import type { Artifacts } from '../artifact.ts';
import { openArtifactStore } from '../store.ts';

/** Artifacts from a map of this process; only what an engine must open by name is written, to a folder of its own. */
export async function memoryArtifacts(
  objects: ReadonlyMap<string, Uint8Array>,
  clock: Clock = systemClock,
): Promise<Artifacts> {
  const folder = await mkdtemp(join(tmpdir(), 'switchback-artifacts-'));
  const store = await openArtifactStore({ folder, clock, budgetBytes: 0 });
  return {
    async open(artifact, signal) {
      signal.throwIfAborted();
      const kept = await store.find(artifact);
      if (kept !== null) return kept;
      const bytes = objects.get(artifact.sha256);
      if (bytes === undefined) {
        const message = `Artifact ${artifact.sha256.slice(0, 12)} is not in memory.`;
        throw new SwitchbackError('E_ARTIFACT_PULL', message, { details: { sha256: artifact.sha256 } });
      }
      return store.write(artifact, once(bytes));
    },
    keepOnly: needed => store.keepOnly(needed),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
