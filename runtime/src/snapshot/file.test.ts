import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ratioVersion, snapshotOf } from '../serving.fixture.ts';
import { snapshotFile } from './file.ts';

const snapshot = snapshotOf({ ratio: [ratioVersion().backend] });

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'switchback-snapshot-'));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
}

test('a snapshot comes back as it was kept, readable by us alone, with nothing beside it', async () => {
  const stateDir = await folder();
  const file = snapshotFile(stateDir);

  await file.write(snapshotOf({}));
  await file.write(snapshot);

  expect(await file.read()).toEqual(snapshot);
  expect(await readdir(stateDir)).toEqual(['snapshot.json']);
  expect((await stat(join(stateDir, 'snapshot.json'))).mode & 0o077).toBe(0);
});

test.each([
  ['half a document', JSON.stringify(snapshot).slice(0, 200)],
  ['an apiVersion of another time', JSON.stringify({ ...snapshot, apiVersion: 'switchback/v9' })],
])('a file with %s counts as none', async (_, text) => {
  const stateDir = await folder();
  await writeFile(join(stateDir, 'snapshot.json'), text);

  expect(await snapshotFile(stateDir).read()).toBeNull();
});

test('no file is none', async () => {
  expect(await snapshotFile(await folder()).read()).toBeNull();
});
