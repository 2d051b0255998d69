import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { silentLog } from '../log.ts';
import { rememberedLoads } from './remembered-loads.ts';

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'switchback-loads-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

test('what was ready is known to the next life, and what was forgotten is not', async () => {
  const state = await folder();
  const loads = rememberedLoads(state, silentLog);
  loads.remember('fraud/1', { bytes: 10, ms: 20 });
  loads.remember('fraud/2', { bytes: 30, ms: 40 });
  loads.forget('fraud/1');

  await loads.keep();

  const next = rememberedLoads(state, silentLog);
  expect(next.find('fraud/1')).toBeUndefined();
  expect(next.find('fraud/2')).toEqual({ bytes: 30, ms: 40 });
});

test.each<[string, (kept: string) => string]>([
  ['half a file', kept => kept.slice(0, 40)],
  ['another machine', kept => kept.replace('"machine":"', '"machine":"other ')],
  ['numbers that are none', kept => kept.replace('30', '"30"')],
])('of %s nothing is believed', async (_, spoil) => {
  const state = await folder();
  const loads = rememberedLoads(state, silentLog);
  loads.remember('fraud/2', { bytes: 30, ms: 40 });
  await loads.keep();
  const path = join(state, 'loads.json');

  await writeFile(path, spoil(await readFile(path, 'utf8')));

  expect(rememberedLoads(state, silentLog).find('fraud/2')).toBeUndefined();
});

test('nothing new is not written again, and a folder that is gone is no failure', async () => {
  const state = await folder();
  const loads = rememberedLoads(state, silentLog);
  await loads.keep();
  await expect(stat(join(state, 'loads.json'))).rejects.toThrow();

  loads.remember('fraud/2', { bytes: 30, ms: 40 });
  await rm(state, { recursive: true });

  await expect(loads.keep()).resolves.toBeUndefined();
});
