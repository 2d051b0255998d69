import type { CommitSha, EnvironmentName, Instant, ModelName, RevisionId } from '@switchback-ml/schemas';
import type { RevisionSpec } from '../desired/desired-state.ts';
import { type Baked, REMEMBERED_BAKES, type RolloutState, type Settled } from './rollout-state.ts';

export interface RecoverInput {
  environment: EnvironmentName;
  model: ModelName;
  wanted: RevisionSpec;
  isHeld: boolean;
  commit: CommitSha;
  /** What the history ref knows of this deployment, oldest first. */
  records: readonly Settled[];
  /** The release that git held before the present one, with today's settings; null: there was none, or it is held. */
  before: RevisionSpec | null;
  /** What a runtime says it serves, revision → weight; null: none answered. */
  served: ReadonlyMap<RevisionId, number> | null;
  now: Instant;
}

/**
 * The rollout of a deployment whose ledger is gone. What a runtime serves alone wins if git knows it as baked; else
 * a baked release serves at 100 %; else the rollout begins again at its first step beside the newest earlier
 * baked release. So no unbaked revision ever gets more than the first step's weight by forgetting.
 */
export function recover(input: RecoverInput): RolloutState | null {
  const { environment, model, wanted, records, now } = input;
  const good = goodIn(records);
  const baked = good.map(bakedFrom).slice(-REMEMBERED_BAKES);
  const isBaked = baked.some(({ id }) => id === wanted.id);
  if (isBaked && !input.isHeld) {
    return {
      environment,
      model,
      stable: wanted,
      candidate: null,
      since: now,
      paused: null,
      halted: null,
      baked,
    };
  }
  const stable = lastGood(input, good) ?? releaseBefore(input);
  if (!stable) return null;
  return { environment, model, stable, candidate: null, since: now, paused: null, halted: null, baked };
}

/** The newest baked revision other than the wanted one; one that a runtime serves now is preferred. */
function lastGood({ wanted, served }: RecoverInput, good: readonly Settled[]): RevisionSpec | null {
  const others = good.map(({ revision }) => revision).filter(({ id }) => id !== wanted.id);
  return others.findLast(({ id }) => (served?.get(id) ?? 0) > 0) ?? others.at(-1) ?? null;
}

/** Nothing is known to be good: what git held before is the better guess, unless it is known to be bad. */
function releaseBefore({ before, wanted, records }: RecoverInput): RevisionSpec | null {
  if (!before || before.id === wanted.id) return null;
  const last = records.findLast(({ revision }) => revision.id === before.id);
  return last?.outcome === 'rolled-back' ? null : before;
}

/** What baked and was not rolled back since, each once, by its newest bake. */
function goodIn(records: readonly Settled[]): Settled[] {
  const good = new Map<RevisionId, Settled>();
  for (const record of records) {
    if (record.outcome === 'rolled-back' || record.outcome === 'baked') good.delete(record.revision.id);
    if (record.outcome === 'baked') good.set(record.revision.id, record);
  }
  return [...good.values()];
}

function bakedFrom({ revision: { id, digest, version }, at }: Settled): Baked {
  return { id, digest, version, at };
}
