import { afterEach, beforeEach, expect, test } from 'vitest';
import { heldClock } from '../../held-clock.fixture.ts';
import { until } from '../../loop.fixture.ts';
import { watchController } from './controller-watch.ts';

let world: { pid: number | null; answers: boolean | null; killed: number[]; told: string[]; looks: number };
let time: ReturnType<typeof heldClock>;
let watch: AsyncDisposable;

beforeEach(() => {
  world = { pid: 7, answers: true, killed: [], told: [], looks: 0 };
  time = heldClock();
  watch = watchController({
    pid: () => world.pid,
    isAnswering: async () => {
      world.looks += 1;
      return world.answers;
    },
    kill: pid => void world.killed.push(pid),
    onHung: how => void world.told.push(how),
    clock: time.clock,
  });
});
afterEach(() => watch[Symbol.asyncDispose]());

/** So many looks, one after the other. */
async function look(times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const before = time.sleeps.length;
    time.sleeps.at(-1)?.end();
    await until(() => time.sleeps.length > before);
  }
}

test('a controller that is silent eight times in a row is killed, and whoever waits is told', async () => {
  world.answers = false;

  await look(7);
  expect(world.killed).toEqual([]);
  await look(1);

  expect(world.killed).toEqual([7]);
  expect(world.told).toEqual(['it did not answer 8 times in a row and is killed']);
});

test('an answer in between forgives the silence before', async () => {
  world.answers = false;
  await look(7);
  world.answers = true;
  await look(1);
  world.answers = false;
  await look(7);

  expect(world.killed).toEqual([]);
});

test('the next life begins with a clean slate, and one that does not listen yet is not hung', async () => {
  world.answers = false;
  await look(7);
  world.pid = 8;
  await look(7);
  world.pid = null;
  await look(3);
  world.pid = 9;
  world.answers = null;
  await look(20);

  expect(world.killed).toEqual([]);
});
