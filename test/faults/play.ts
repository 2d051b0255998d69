import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkInvariants } from './invariant/check.ts';
import { settled } from './invariant/settled.ts';
import { beginRound, type Seed, type Violation, violate } from './round.ts';
import type { Scenario } from './scenario/scenario.ts';
import { badVersion } from './story/bad-version.ts';
import type { FaultWorld } from './world/world.ts';

export interface Played {
  scenario: string;
  seed: Seed;
  tookMs: number;
  violations: readonly Violation[];
}

/** One round: the story with its fault, and a judgement of what is left of the world. */
export async function play(
  world: FaultWorld,
  scenario: Scenario,
  { seed, number }: { seed: Seed; number: number },
): Promise<Played> {
  const startedAt = Date.now();
  const fault = scenario.fault(seed);
  const { story = badVersion } = fault;
  const round = beginRound(world, { scenario: scenario.name, seed, number });
  try {
    await story.tell(round, async point => fault.at?.[point]?.(round));
    await Promise.all(round.meanwhile);
    await settled(round, story);
    await fault.judge?.(round);
    await checkInvariants(round, story, fault.losesRecords === true);
  } catch (error) {
    violate(
      round,
      'story is told',
      'it goes on to its end',
      error instanceof Error ? (error.stack ?? '') : String(error),
    );
    world.proxy.weather('pass');
    await Promise.allSettled(round.meanwhile);
  }
  const tookMs = Date.now() - startedAt;
  return { scenario: scenario.name, seed, tookMs, violations: round.violations };
}

/** What is known of a world in which something was wrong, beside its own files. */
export async function keepEvidence(world: FaultWorld, played: Played): Promise<string> {
  const { chronicle, services, printed, directory } = world;
  const { answers, served } = services;
  const failed = answers.failed();
  const evidence = { ...played, events: chronicle.events, served, failed };
  await writeFile(join(directory, 'evidence.json'), JSON.stringify(evidence, null, 1));
  await writeFile(join(directory, 'printed.txt'), printed.join(''));
  return directory;
}
