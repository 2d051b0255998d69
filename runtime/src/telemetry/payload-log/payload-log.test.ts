import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { steppedClock } from '../../clock.fixture.ts';
import { type Clock, systemClock } from '../../clock.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { type Log, silentLog } from '../../log.ts';
import { predictionIds } from '../prediction-id.ts';
import { COMMIT, REVISION } from '../served.fixture.ts';
import type { Payload } from './entry.ts';
import { openPayloadLog, type PayloadLog, type PayloadLogOptions } from './payload-log.ts';

const nextId = predictionIds();

async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'switchback-payloads-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'payloads');
}

function opened(folder: string, more: Partial<PayloadLogOptions> = {}): Promise<PayloadLog> {
  return openPayloadLog({
    folder,
    share: 1,
    redaction: new Set(),
    rotation: { bytes: 1 << 20, files: 3 },
    clock: systemClock,
    random: () => 0,
    log: silentLog,
    ...more,
  });
}

function payload(x = 1, length = 1): Payload {
  const data = new Float32Array(length).fill(x);
  const tensor: Tensor = { datatype: 'FP32', shape: [length], data };
  return {
    predictionId: nextId(REVISION),
    id: null,
    code: null,
    commit: COMMIT,
    model: 'fraud',
    version: '1',
    revision: REVISION,
    inputs: new Map([['x', tensor]]),
    outputs: new Map([['y', tensor]]),
  };
}

async function read(folder: string): Promise<{ predictionId: string }[]> {
  const texts = await Promise.all(
    (await readdir(folder)).toSorted().map(name => readFile(join(folder, name), 'utf8')),
  );
  return texts
    .join('')
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line));
}

test('what was offered is on the disk once the log is closed, in order, for its owner alone', async () => {
  const folder = await temporary();
  const payloads = Array.from({ length: 300 }, (_, n) => payload(n));

  const log = await opened(folder);
  for (const one of payloads) log.offer(one);
  await log[Symbol.asyncDispose]();

  expect((await read(folder)).map(({ predictionId }) => predictionId)).toEqual(
    payloads.map(({ predictionId }) => predictionId),
  );
  expect(log.dropped).toBe(0);
  const [name] = await readdir(folder);
  expect((await stat(join(folder, name!))).mode & 0o777).toBe(0o600);
});

test('the sample is the share that was asked for', async () => {
  let asked = 0;
  const log = await opened(await temporary(), { share: 0.1, random: () => (asked++ % 100) / 100 });

  const picked = Array.from({ length: 1000 }, () => log.picks()).filter(Boolean);
  await log[Symbol.asyncDispose]();

  expect(picked).toHaveLength(100);
});

describe('rotation', () => {
  test('no file grows far beyond its size, only so many are kept, and they are the newest', async () => {
    const folder = await temporary();
    const log = await opened(folder, { rotation: { bytes: 4000, files: 3 } });
    const ids: string[] = [];
    for (let n = 0; n < 60; n++) {
      const one = payload(n, 40);
      ids.push(one.predictionId!);
      log.offer(one);
      // One at a time, so that each is looked at alone.
      await until(async () => (await read(folder)).at(-1)?.predictionId === one.predictionId);
    }
    await log[Symbol.asyncDispose]();

    const names = (await readdir(folder)).toSorted();
    expect(names.length).toBeLessThanOrEqual(3);
    for (const name of names) expect((await stat(join(folder, name))).size).toBeLessThan(5000);
    const kept = (await read(folder)).map(({ predictionId }) => predictionId);
    expect(kept.length).toBeGreaterThan(5);
    expect(kept).toEqual(ids.slice(-kept.length));
  });

  test('a start goes on with another file, and leaves what is not its own alone', async () => {
    const folder = await temporary();
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'notes.txt'), 'mine');
    for (let start = 0; start < 5; start++) {
      const log = await opened(folder, { rotation: { bytes: 1 << 20, files: 2 } });
      log.offer(payload(start));
      await log[Symbol.asyncDispose]();
    }

    expect((await readdir(folder)).toSorted()).toEqual([
      'notes.txt',
      'payloads-0000000004.jsonl',
      'payloads-0000000005.jsonl',
    ]);
  });
});

describe('rather than wait, it drops', () => {
  test('what is too large to print between two requests', async () => {
    const log = await opened(await temporary());

    log.offer(payload(1, 100_000));
    await log[Symbol.asyncDispose]();

    expect(log.dropped).toBe(1);
  });

  test('what comes while too much waits, within one turn of the event loop', async () => {
    const folder = await temporary();
    const log = await opened(folder);

    for (let n = 0; n < 1000; n++) log.offer(payload(1, 1000));
    const dropped = log.dropped;
    await log[Symbol.asyncDispose]();

    expect(dropped).toBeGreaterThan(500);
    expect(await read(folder)).toHaveLength(1000 - dropped);
  });

  test('what comes after it was closed', async () => {
    const log = await opened(await temporary());
    await log[Symbol.asyncDispose]();

    log.offer(payload());

    expect(log.dropped).toBe(1);
  });
});

test('a folder that can not be written to is told of once, and used again when it can', async () => {
  const folder = await temporary();
  const told: string[] = [];
  const warn = (_: unknown, words: string): void => void told.push(words);
  const clock = steppedClock();
  const log = await opened(folder, {
    clock,
    log: { ...silentLog, warn } as Log,
  });
  await rm(folder, { recursive: true });

  for (let n = 0; n < 3; n++) {
    log.offer(payload());
    await until(async () => log.dropped === n + 1);
    await clock.advance(5000);
  }
  await mkdir(folder);
  log.offer(payload(7));
  await until(async () => (await read(folder)).length === 1);
  await log[Symbol.asyncDispose]();

  expect(told).toEqual(['payloads could not be kept, trying again']);
});

test('closing does not wait for a disk any longer than it may: what is left is dropped', async () => {
  const folder = await temporary();
  const clock: Clock = { ...systemClock, sleep: () => Promise.resolve() };
  const log = await opened(folder, { clock });
  for (let n = 0; n < 5000; n++) log.offer(payload());

  await log[Symbol.asyncDispose]();

  await until(async () => log.dropped > 0 && log.dropped + (await read(folder)).length === 5000);
});

/** Looks again until it is so, within a bound. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  const end = systemClock.elapsed() + 10_000;
  while (!(await isSo().catch(() => false))) {
    if (systemClock.elapsed() > end) throw new Error('it did not come to pass');
    await new Promise(resolve => setImmediate(resolve));
  }
}
