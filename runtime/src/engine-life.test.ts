import { expect, test } from 'vitest';
import type { Charge } from './charge.ts';
import { settled, steppedClock } from './clock.fixture.ts';
import { scriptedEngine } from './engine/scripted.fixture.ts';
import { liveEngine } from './engine-life.ts';
import { Turns } from './loading/turns.ts';
import { silentLog } from './log.ts';

const MIB = 2 ** 20;
const forever = new AbortController().signal;

test('what a load takes is counted from its turn, and is told with what the engine held before and after', async () => {
  const clock = steppedClock();
  const turns = new Turns({ atOnce: 1, clock });
  const engine = scriptedEngine(0);
  engine.resident = 40 * MIB;
  const told: unknown[] = [];
  const charge: Charge = {
    model: 'm',
    revision: 'r',
    limits: { memoryBytes: 512 * MIB, timeoutMs: 1000, maxBatch: 1 },
    engines: 1,
    open: async () => async () => {
      await clock.sleep(200);
      engine.resident = 55 * MIB;
      return { inputs: new Map(), outputs: new Map(), tolerance: 0 };
    },
    enter: async () => ({
      started: blankBytes => void told.push(['started', blankBytes]),
      loaded: (warmBytes, tookMs) => void told.push(['loaded', warmBytes, tookMs]),
      measured: () => {},
      leave: () => void told.push('left'),
    }),
    up: () => {},
    lost: () => {},
    down: () => {},
  };
  const endTurn = await turns.take('first', forever);
  const unless = new AbortController();
  const options = { spare: { take: async () => engine }, turns, clock, log: silentLog, onReplaced: () => {} };
  const life = liveEngine(options, { charge, index: 0, urgency: 'outage', isProven: false }, unless.signal);

  await clock.advance(1500);
  endTurn();
  await clock.advance(200);
  await settled();

  expect(told).toEqual([
    ['started', 40 * MIB],
    ['loaded', 55 * MIB, 200],
  ]);
  unless.abort();
  await life;
  expect(told.at(-1)).toBe('left');
});
