import { STABLE, versionOf } from './world/model-folder.ts';
import type { FaultWorld } from './world/world.ts';

/** 1: the fault alone. 2: another one on top. 3: the remote is away right after it. Scenarios may vary otherwise. */
export type Seed = 1 | 2 | 3;

/** Something that should not be: what was expected, and what was seen. */
export interface Violation {
  rule: string;
  expected: string;
  seen: string;
}

/** Requests of one environment that may fail, since the front that had them was killed. */
export interface Outage {
  environment: string;
  fromMs: number;
  /** Absent: until it answers again. */
  untilMs?: number | undefined;
}

/** One story in a world, with one fault in it. */
export interface Round {
  world: FaultWorld;
  scenario: string;
  seed: Seed;
  /** In [0, 1), the same for the same scenario and seed. */
  random: () => number;
  /** The bad version of this round; in a story of settings, the good one with bad settings. */
  version: string;
  /** What staging served before. */
  before: string;
  /** Where this round begins in what is remembered of the world. */
  since: { atMs: number; answers: number; events: number };
  outages: Outage[];
  /** Work beside the story that must have ended before anything is judged. */
  meanwhile: Promise<unknown>[];
  /** Found on the way. */
  violations: Violation[];
}

export function beginRound(
  world: FaultWorld,
  { scenario, seed, number }: { scenario: string; seed: Seed; number: number },
): Round {
  const { services, chronicle } = world;
  return {
    world,
    scenario,
    seed,
    random: randomOf(`${scenario} ${seed}`),
    version: versionOf(number),
    before: services.now('staging') ?? STABLE,
    since: {
      atMs: Date.now(),
      answers: services.answers.all.length,
      events: chronicle.events.length,
    },
    outages: [],
    meanwhile: [],
    violations: [],
  };
}

/** From now on, until it answers again, requests of this environment may fail. */
export function excuse(round: Round, environment: string, fromMs = Date.now()): void {
  round.outages.push({ environment, fromMs });
}

export function violate(round: Round, rule: string, expected: string, seen: string): void {
  round.violations.push({ rule, expected, seen });
}

/** A small generator; its numbers need be repeatable, nothing more. */
function randomOf(text: string): () => number {
  let state = [...text].reduce(
    (hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 16_777_619),
    0x811c9dc5,
  );
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
