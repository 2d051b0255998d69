import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { engineContract } from '../engine.contract.ts';
import { ratioArithmetic } from './arithmetic.fixture.ts';
import { memoryEngines } from './index.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchback-engine-'));
  await writeFile(join(folder, 'ratio.json'), JSON.stringify(ratioArithmetic()));
  await writeFile(join(folder, 'broken.json'), 'not a model');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

engineContract('memory', async () => ({
  start: memoryEngines(),
  files: { ratio: join(folder, 'ratio.json'), broken: join(folder, 'broken.json') },
}));
