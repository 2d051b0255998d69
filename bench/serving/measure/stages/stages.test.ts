import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { wrkTrouble } from '../../load/closed.ts';
import { LIGHTEST, modelNamed } from '../../model/models.ts';
import { makeSample } from '../../model/sample.ts';
import { ROOM } from './rooms.ts';
import { measureStages } from './stages.ts';

test.skipIf(wrkTrouble() !== null)(
  'a real runtime is profiled, front and engine, from the first byte to the last',
  async () => {
    const scratch = await mkdtemp(join(tmpdir(), 'switchback stages '));
    onTestFinished(() => rm(scratch, { recursive: true, force: true }));
    const { signal } = new AbortController();
    const sample = await makeSample(modelNamed(LIGHTEST), join(scratch, 'models'));

    const ground = { scratch, cache: scratch, signal, tell: () => {} };
    const stages = await measureStages(sample, { warmMs: 1000, profileMs: 1000, plainMs: 1000, ground });

    expect(stages).toMatchObject({ model: LIGHTEST, connections: 32 });
    expect(stages.requests).toBeGreaterThan(100);
    expect(stages.processes.map(({ process }) => process)).toEqual(['front', 'engine']);
    for (const { us, rooms, waitedShare } of stages.processes) {
      expect(us).toBeGreaterThan(1);
      expect(rooms.reduce((sum, room) => sum + room.us, 0)).toBeCloseTo(us, 6);
      expect(waitedShare).toBeGreaterThanOrEqual(0);
      expect(waitedShare).toBeLessThan(1);
    }
    const [front, engine] = stages.processes.map(({ rooms }) => rooms.map(({ room }) => room));
    expect(front).toEqual(
      expect.arrayContaining(['front/lane', 'inference', 'batching', 'engine', ROOM.toClients, ROOM.between]),
    );
    expect(engine).toEqual(expect.arrayContaining(['engine', ROOM.graph, ROOM.between]));
    // What was recorded has been taken, so that a later recording can't be mistaken for it.
    expect(
      (await readdir(scratch, { recursive: true })).filter(name => /\d\.(json|started)$/.test(name)),
    ).toEqual([]);
  },
  60_000,
);
