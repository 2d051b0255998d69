import { createHash } from 'node:crypto';
import { ArtifactDigest } from '@switchback-ml/schemas';
import type { LfsObject } from '../repository.ts';
import { artifactStore } from './store.ts';

/*
 * A process of its own that fetches objects into a store, for tests that kill it or fill its disk:
 * `<directory> <megabytes> <point>`. It says `reached` when it stands at the point and then waits to be killed;
 * without a point it fetches object after object and says so each time.
 */

export type Point = 'before the first byte' | 'in the middle' | 'behind the last byte' | 'never';

/** The nth object of so many bytes, the same in each process. */
export function nthObject(nth: number, sizeBytes: number): { object: LfsObject; bytes: Buffer } {
  const bytes = Buffer.alloc(sizeBytes, `object ${nth} `);
  const digest = ArtifactDigest.parse(createHash('sha256').update(bytes).digest('hex'));
  return { object: { digest, sizeBytes }, bytes };
}

if (process.argv[1] === import.meta.filename) {
  const [directory = '', size = '', point = 'never'] = process.argv.slice(2);
  await run(directory, Number(size), point as Point);
}

async function run(directory: string, sizeBytes: number, point: Point): Promise<void> {
  const signal = AbortSignal.timeout(60_000);
  let bytes: Buffer = Buffer.alloc(0);
  const at = async (here: Point): Promise<void> => {
    if (here !== point) return;
    process.stdout.write('reached\n');
    await new Promise(resolve => setTimeout(resolve, 60_000));
  };
  await using store = await artifactStore({
    directory,
    reserveBytes: 0,
    source: {
      download: async (_, write) => {
        await at('before the first byte');
        await write(bytes.subarray(0, bytes.length / 2));
        await at('in the middle');
        await write(bytes.subarray(bytes.length / 2));
        await at('behind the last byte');
      },
    },
  });
  for (let nth = 0; ; nth++) {
    const next = nthObject(nth, sizeBytes);
    ({ bytes } = next);
    await store.ensure(next.object, signal);
    process.stdout.write(`kept ${nth}\n`);
  }
}
