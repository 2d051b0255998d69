import { join } from 'node:path';
import { register } from '@switchback-ml/controller/command';
import { ModelName, VersionLabel } from '@switchback-ml/schemas';
import { EXAMPLES } from '../example.ts';
import type { Ground } from '../ground.ts';
import type { Change } from '../plan.ts';

const REGISTER_WITHIN_MS = 90_000;

export type NewVersion = Extract<Change, { kind: 'good' | 'bad' }>;

/** As `switchback register` does it for a person. */
export async function registerVersion(
  { place, signal }: Ground,
  { model, candidate, version, tolerance }: NewVersion,
): Promise<void> {
  const folder = join(EXAMPLES, 'candidates', candidate);
  await register(
    {
      file: join(folder, 'model.onnx'),
      model: ModelName.parse(model),
      folder: model,
      version: VersionLabel.parse(version),
      samples: join(folder, 'samples.csv'),
      rows: 'public',
      facts: { facts: join(folder, 'facts.json') },
      tolerance,
    },
    {
      repo: place.remote.url,
      state: join(place.directory, 'author'),
      directory: place.directory,
      environment: { ...process.env, GIT_AUTHOR_NAME: 'Mei', GIT_AUTHOR_EMAIL: 'mei@localhost' },
      signal: AbortSignal.any([signal, AbortSignal.timeout(REGISTER_WITHIN_MS)]),
    },
  );
}
