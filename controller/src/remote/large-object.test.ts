import { execFile } from 'node:child_process';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { temporaryFolder } from './world.fixture.ts';

const PROCESS = new URL('./large-object.process.fixture.ts', import.meta.url).pathname;
const MEGA = 2 ** 20;
const SIZE = 256 * MEGA;
const BOUND_MS = 120_000;
const Said = z.object({ before: z.number(), peak: z.number(), sizeBytes: z.number() });

describe('an object larger than memory should be', () => {
  it(
    'goes up and comes down through little of it, server and client together',
    async () => {
      await using folder = await temporaryFolder();
      await folder.git(['init', '--quiet', '--bare', 'models.git']);
      const file = join(folder.path, 'model.onnx');
      await writeFile(file, 'weights');
      await truncate(file, SIZE);

      const { stdout } = await promisify(execFile)(process.execPath, [PROCESS, folder.path, file], {
        timeout: BOUND_MS,
      });

      const { before, peak, sizeBytes } = Said.parse(JSON.parse(stdout));
      expect(sizeBytes).toBe(SIZE);
      // What is under way is a few chunks; the rest is chunks that the garbage collector has not come to yet.
      expect((peak - before) * 1024).toBeLessThan(0.7 * SIZE);
    },
    BOUND_MS,
  );
});
