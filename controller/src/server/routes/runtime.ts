import { open } from 'node:fs/promises';
import { ArtifactDigest, EnvironmentName, ServingSnapshot } from '@switchback-ml/schemas';
import { z } from 'zod';
import { SwitchbackError } from '../../error.ts';
import { namedArtifact } from '../named-artifact.ts';
import { type Answer, type Endpoint, endpoint } from '../route.ts';
import { within } from '../within.ts';
import type { ServerWorld } from '../world.ts';

/** A large artifact over a slow line; a runtime that has given up meanwhile finds the file when it asks again. */
const FETCH_PATIENCE_MS = 60 * 60_000;

export function snapshot({ actuation, clock }: ServerWorld): Endpoint {
  return endpoint({
    summary: 'The serving snapshot of an environment; with If-None-Match, once it is another one',
    params: z.object({ environment: EnvironmentName }),
    query: z.strictObject({ wait: z.coerce.number().min(0).max(30).default(0) }),
    answers: { found: ServingSnapshot, unchanged: null },
    handle: async ({ params: { environment }, query: { wait }, ifNoneMatch, signal }) => {
      const known = generationIn(ifNoneMatch);
      const published = actuation.observe().published.get(environment);
      if (published && published.generation !== known) return answerWith(published);
      const next = await within(clock, wait * 1000, signal, over =>
        wait > 0 ? actuation.snapshot(environment, known, over) : Promise.resolve(null),
      );
      if (next) return answerWith(next);
      if (known !== null) return { kind: 'unchanged', etag: `"${known}"` };
      const message = `Nothing has been published for environment ${environment} yet. Ask again.`;
      throw new SwitchbackError('E_NOT_FOUND', message);
    },
  });
}

function answerWith(body: ServingSnapshot): Answer {
  return { kind: 'found', body, etag: `"${body.generation}"` };
}

/** A tag that is not of our making is as good as none. */
function generationIn(ifNoneMatch: string | undefined): string | null {
  return /^(?:W\/)?"([0-9a-f]{16})"$/.exec(ifNoneMatch ?? '')?.[1] ?? null;
}

export function artifact(world: ServerWorld): Endpoint {
  return endpoint({
    summary: 'The bytes of one artifact that the target or a version in git names',
    params: z.object({ sha256: ArtifactDigest }),
    answers: { file: null },
    handle: async ({ params: { sha256 }, signal, stopped }) => {
      const object = namedArtifact(sha256, world.state, world.actuation.observe());
      if (!object) {
        const message = `Artifact ${sha256.slice(0, 12)} is in no version that git names now. Register it, or ask for another.`;
        throw new SwitchbackError('E_NOT_FOUND', message);
      }
      // Not bound to the asker: what has been fetched so far would be lost each time a runtime loses patience.
      const path = await within(world.clock, FETCH_PATIENCE_MS, stopped, over =>
        world.artifacts.ensure(object, over),
      );
      if (signal.aborted) return { kind: 'done' };
      return fileAnswer(path, object.sizeBytes, sha256);
    },
  });
}

async function fileAnswer(path: string, sizeBytes: number, sha256: string): Promise<Answer> {
  const file = await open(path, 'r');
  const { size } = await file.stat();
  if (size !== sizeBytes) {
    await file.close();
    const message = `Artifact ${sha256.slice(0, 12)} is kept with ${size} bytes instead of ${sizeBytes}. Remove the file, and it is fetched again.`;
    throw new SwitchbackError('E_LFS_DIGEST', message);
  }
  // The stream closes the file, also when the asker goes away.
  return { kind: 'file', stream: file.createReadStream(), sizeBytes, etag: `"${sha256}"` };
}
