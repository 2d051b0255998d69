import { describe, expect, test } from 'vitest';
import { type SteppedClock, steppedClock } from '../clock.fixture.ts';
import { type ScriptedEngine, scriptedEngine } from '../engine/scripted.fixture.ts';
import { OPTIONS, valuesOf, work } from './batcher.fixture.ts';
import { Batcher } from './batcher.ts';

const FIXED_MS = 0.3;
const PER_ROW_MS = 0.5;
/** Rows a millisecond that leave in batches of any size. */
const CAPACITY = 1 / PER_ROW_MS;

/** Takes its time for each row, one batch after the other. */
function slowEngine(clock: SteppedClock): ScriptedEngine {
  const engine = scriptedEngine();
  let last = Promise.resolve();
  engine.onInfer = async inputs => {
    last = last.then(() => clock.sleep(FIXED_MS + PER_ROW_MS * valuesOf(inputs).length));
    await last;
    return new Map([['ratio', inputs.get('numerator')!]]);
  };
  return engine;
}

interface Load {
  clock: SteppedClock;
  batcher: Batcher;
  /** How long each took that was answered, by when it came. */
  answered: { at: number; tookMs: number }[];
  refused: number;
  /** How long those took to be told that were let in first and sent away after. */
  sentAway: number[];
  ask(): void;
}

function underLoad(): Load {
  const clock = steppedClock();
  const limits = { maxBatch: 64, timeoutMs: 5000 };
  const batcher = new Batcher({ ...OPTIONS, limits, capacityRows: 1024, clock });
  batcher.attach(0, slowEngine(clock));
  const load: Load = {
    clock,
    batcher,
    answered: [],
    refused: 0,
    sentAway: [],
    ask() {
      const at = clock.elapsed();
      if (batcher.refusalUnread() !== null) {
        load.refused++;
        return;
      }
      batcher.submit(work([1])).then(
        () => load.answered.push({ at, tookMs: clock.elapsed() - at }),
        () => {
          load.refused++;
          if (clock.elapsed() > at) load.sentAway.push(clock.elapsed() - at);
        },
      );
    },
  };
  return load;
}

async function drive(load: Load, forMs: number, perMs: number): Promise<void> {
  const until = load.clock.elapsed() + forMs;
  for (let due = 0; load.clock.elapsed() < until; ) {
    for (due += perMs; due >= 1; due--) load.ask();
    await load.clock.advance(1);
  }
}

describe('ten times as much as can be done', () => {
  test('leaves those let in a few batches to wait, and loses next to nothing of what can be done', async () => {
    const load = underLoad();
    await drive(load, 200, CAPACITY / 4);
    await drive(load, 3000, CAPACITY * 10);

    const later = load.answered.filter(({ at }) => at >= 500);
    expect(later.length).toBeGreaterThan(0.85 * CAPACITY * 2650);
    expect(Math.max(...later.map(({ tookMs }) => tookMs))).toBeLessThan(20);
    const early = load.answered.filter(({ tookMs }) => tookMs > 20);
    expect(early.length).toBeLessThan(0.1 * load.answered.length);
    expect(Math.max(...load.sentAway)).toBeLessThan(200);
  });

  test('is told at once that it is over', async () => {
    const load = underLoad();
    await drive(load, 200, CAPACITY / 4);
    await drive(load, 600, CAPACITY * 10);
    await drive(load, 1200, CAPACITY / 4);
    const { refused } = load;

    for (let burst = 0; burst < 500; burst++) load.ask();
    await load.clock.advance(400);

    expect(load.refused).toBe(refused);
    expect(load.batcher.describe().waitingRequests).toBe(0);
  });
});

test('callers who each wait for their answer are never sent away, however long their queue stands', async () => {
  const load = underLoad();
  let open = 0;
  for (let round = 0; round < 2000; round++) {
    for (; open < 900; open++) load.ask();
    const before = load.answered.length;
    await load.clock.advance(1);
    open -= load.answered.length - before;
  }

  expect(load.refused).toBe(0);
  expect(load.answered.length).toBeGreaterThan(0.9 * CAPACITY * 2000);
});
