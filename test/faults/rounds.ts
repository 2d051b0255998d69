import { keepEvidence, type Played, play } from './play.ts';
import type { Seed } from './round.ts';
import type { Scenario } from './scenario/scenario.ts';
import { VERSIONS } from './world/model-folder.ts';
import { makeTemplate, type Template } from './world/template.ts';
import { FaultWorld, type Ground } from './world/world.ts';

/** Each makes the next start wait longer; after a few, another world is faster. */
const DEATHS_A_WORLD = 5;

export interface RoundsOptions {
  scenarios: readonly Scenario[];
  seeds: readonly Seed[];
  onRound: (outcome: Outcome) => void;
  signal: AbortSignal;
}

export type Outcome =
  | (Played & { kind: 'played'; evidence: string | null })
  | { kind: 'skipped'; scenario: string; seed: Seed; why: string };

interface Place {
  world: FaultWorld;
  ground: Ground;
  rounds: number;
}

/** Plays every scenario with every seed, several in one world as long as nothing is wrong with it. */
export async function playRounds({ scenarios, seeds, onRound, signal }: RoundsOptions): Promise<void> {
  await using places = new Places(await makeTemplate());
  for (const scenario of scenarios) {
    const why = (await scenario.whyNot?.()) ?? null;
    for (const seed of seeds) {
      if (signal.aborted) return;
      if (why !== null) onRound({ kind: 'skipped', scenario: scenario.name, seed, why });
      else onRound(await playOne(places, scenario, seed));
    }
  }
}

async function playOne(places: Places, scenario: Scenario, seed: Seed): Promise<Outcome> {
  let place: Place;
  try {
    place = await places.next(scenario.ground ?? 'plain');
  } catch (error) {
    const violation = { rule: 'world opens', expected: 'a good version serves', seen: String(error) };
    const played = { scenario: scenario.name, seed, tookMs: 0, violations: [violation] };
    return { kind: 'played', ...played, evidence: null };
  }
  const played = await play(place.world, scenario, { seed, number: place.rounds });
  const evidence = played.violations.length > 0 ? await keepEvidence(place.world, played) : null;
  if (evidence !== null) await places.abandon();
  return { kind: 'played', ...played, evidence };
}

/** The one world that there is at a time. */
class Places implements AsyncDisposable {
  readonly #template: Template;
  #place: Place | null = null;

  constructor(template: Template) {
    this.#template = template;
  }

  /** For one round more: the world that there is, or another one where it is worn out or stands on other ground. */
  async next(ground: Ground): Promise<Place> {
    if (this.#place && (this.#place.ground !== ground || isWorn(this.#place)))
      await this[Symbol.asyncDispose]();
    this.#place ??= { world: await FaultWorld.open(this.#template, ground), ground, rounds: 0 };
    this.#place.rounds += 1;
    return this.#place;
  }

  /** Leaves its folder as evidence. */
  async abandon(): Promise<void> {
    const place = this.#place;
    this.#place = null;
    await place?.world.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const place = this.#place;
    this.#place = null;
    await place?.world[Symbol.asyncDispose]();
  }
}

const isWorn = ({ world, rounds }: Place): boolean => rounds >= VERSIONS || world.deaths >= DEATHS_A_WORLD;
