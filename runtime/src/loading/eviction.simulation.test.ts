import { expect, test } from 'vitest';
import { Demand, worth } from './demand.ts';
import { evict } from './eviction.ts';

/*
 * A thousand models, asked by Zipf's law, in memory for some dozens of them. How long requests wait for loading, all
 * together, beside what it would be if always those slept that were asked longest ago.
 */
interface Model {
  bytes: number;
  loadMs: number;
  demand: Demand;
  askedAt: number;
  awakeSince: number | null;
}

const MODELS = 1000;
const BUDGET = 40 * 60;
const REQUESTS = 30_000;
const EVERY_MS = 50;

type WorthOf = (model: Model, now: number) => number;
const byWorth: WorthOf = ({ demand, loadMs, bytes }, now) => worth(demand.perSecond(now), loadMs, bytes);
const byRecency: WorthOf = ({ askedAt }) => askedAt;

test.each<[string, (random: () => number) => { bytes: number; loadMs: number }, number]>([
  ['models of one size', () => ({ bytes: 60, loadMs: 200 }), 0.9],
  [
    'models of very different sizes and load times',
    random => ({ bytes: 60 + 500 * random() ** 4, loadMs: 100 + 3000 * random() ** 4 }),
    0.75,
  ],
])('%s wait less for loading than by least recent use', (_, kind, atMost) => {
  const ours = simulate(kind, byWorth);
  const leastRecent = simulate(kind, byRecency);

  expect(ours.waitedMs / leastRecent.waitedMs).toBeLessThan(atMost);
});

test('when all of a sudden others are asked, it is not long before they are awake', () => {
  const kind = () => ({ bytes: 60, loadMs: 200 });

  const ours = simulate(kind, byWorth, REQUESTS / 2);
  const leastRecent = simulate(kind, byRecency, REQUESTS / 2);

  expect(ours.waitedMs / leastRecent.waitedMs).toBeLessThan(1);
});

/** @param shiftAt after so many requests every model gets the rank of another */
function simulate(
  kind: (random: () => number) => { bytes: number; loadMs: number },
  worthOf: WorthOf,
  shiftAt = Number.POSITIVE_INFINITY,
): { waitedMs: number; misses: number } {
  const random = randomFrom(11);
  const models: Model[] = Array.from({ length: MODELS }, () => ({
    ...kind(random),
    demand: new Demand(0),
    askedAt: 0,
    awakeSince: null,
  }));
  const pick = zipf(1, random);
  const result = { waitedMs: 0, misses: 0 };
  for (let request = 0; request < REQUESTS; request++) {
    const now = request * EVERY_MS;
    const rank = pick();
    const model = models[request < shiftAt ? rank : (rank + MODELS / 2) % MODELS]!;
    model.demand.asked();
    model.askedAt = now;
    if (model.awakeSince !== null) continue;
    result.misses++;
    result.waitedMs += model.loadMs;
    makeRoom(models, model, worthOf, now);
    model.awakeSince = now;
  }
  return result;
}

function makeRoom(models: readonly Model[], newcomer: Model, worthOf: WorthOf, now: number): void {
  const awake = models.filter(({ awakeSince }) => awakeSince !== null);
  const held = awake.reduce((sum, { bytes }) => sum + bytes, 0);
  const missing = held + newcomer.bytes - BUDGET;
  if (missing <= 0) return;
  const candidates = awake.map(model => ({
    model,
    bytes: model.bytes,
    worth: worthOf(model, now),
    weight: 100,
    isPinned: false,
    notBefore: 0,
    awakeSince: model.awakeSince!,
  }));
  const found = evict({ bytes: missing, below: Number.POSITIVE_INFINITY }, candidates, now);
  if (found.kind === 'wait') throw new Error('the newcomer is larger than the memory');
  for (const { model } of found.all) model.awakeSince = null;
}

function zipf(exponent: number, random: () => number): () => number {
  const ends: number[] = [];
  let sum = 0;
  for (let rank = 1; rank <= MODELS; rank++) {
    sum += rank ** -exponent;
    ends.push(sum);
  }
  return () => {
    const at = random() * sum;
    return ends.findIndex(end => end >= at);
  };
}

/** mulberry32 */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
