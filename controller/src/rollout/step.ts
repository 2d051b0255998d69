import type { CommitSha, EventType, Instant, NewEvent, RevisionId, Verdict } from '@switchback-ml/schemas';
import type { RevisionSpec } from '../desired/desired-state.ts';
import {
  type Baked,
  type Candidate,
  type OpenRollback,
  REMEMBERED_BAKES,
  type RolloutState,
  type Settled,
  type Stepped,
} from './rollout-state.ts';

export interface StepInput {
  state: RolloutState;
  /** What git asks for; null: it can't be read, keep what runs. */
  wanted: RevisionSpec | null;
  /** Whether automation may serve `wanted`; a held digest is not served even though the release names it. */
  isHeld: boolean;
  commit: CommitSha;
  openRollback: OpenRollback | null;
  /** Of the newest revision; null before the first look. */
  verdict: Verdict | null;
  /** What runtimes answer from, revision → weight; null: none was heard yet, or a stable is known. */
  served: ReadonlyMap<RevisionId, number> | null;
  now: Instant;
}

/** One deployment, one look: at most one change of what is being rolled out, then at most one step forward. */
export function step(input: StepInput): Stepped {
  const draft = new Draft(input);
  chooseRevision(draft, input);
  if (draft.state.candidate) advanceCandidate(draft, input, draft.state.candidate);
  wakeForCandidate(draft);
  return draft.done();
}

/** Which revision is on its way: an open rollback, else what git asks for unless it is held. */
function chooseRevision(draft: Draft, input: StepInput): void {
  const { wanted, isHeld, openRollback } = input;
  const { stable, candidate } = draft.state;
  if (openRollback) return leaveCandidate(draft, openRollback);
  if (!wanted || (isHeld && !(candidate && stable))) return;
  if (!isHeld && wanted.id === (candidate?.revision ?? stable)?.id) return;

  const first = stable ? 'none' : firstRelease(draft.state, input);
  if (first === 'unknown') return;
  const serves = first === 'serves' ? candidate!.revision : stable;
  if (candidate) draft.settle('superseded', candidate.revision, { serves });
  if (stable && (isHeld || wanted.id === stable.id))
    return draft.serve(stable, 'rollout.superseded', { to: stable.version });
  // A person went back to what had been good here: nothing new is to be learnt, so it takes over at once.
  const before = draft.state.baked.find(({ id }) => id === wanted.id);
  if (before && stable)
    return draft.serve(wanted, 'rollout.promoted', { to: wanted.version, bakedAt: before.at });
  draft.begin(wanted, serves);
}

/**
 * Whether a first release, not baked yet, is there to be the next one's control. One that was found bad or is served by
 * nobody protects nothing: the next takes over at once.
 */
function firstRelease(
  { candidate, halted }: RolloutState,
  { served }: StepInput,
): 'none' | 'serves' | 'unknown' {
  if (!candidate || halted) return 'none';
  if (served === null) return 'unknown';
  return (served.get(candidate.revision.id) ?? 0) > 0 ? 'serves' : 'none';
}

/** What fails is no longer one of the last good: should a person bring it again, it has to prove itself anew. */
function leaveCandidate(draft: Draft, { operation, from, to }: OpenRollback): void {
  const { candidate, stable, baked } = draft.state;
  const alone = candidate && stable ? null : (candidate?.revision ?? stable);
  if (alone?.id === to.id) return;
  if (candidate) {
    const outcome = candidate.revision.id === from.id ? 'rolled-back' : 'superseded';
    draft.settle(outcome, candidate.revision, { serves: to });
  }
  if (stable?.id === from.id) draft.settle('rolled-back', stable, { serves: to });
  draft.change({ baked: baked.filter(({ id }) => id !== from.id) });
  draft.serve(to, 'traffic.shifted', { from: from.version, to: to.version, operation });
}

function advanceCandidate(draft: Draft, input: StepInput, candidate: Candidate): void {
  const { verdict, now, wanted, isHeld } = input;
  if (draft.isNew || draft.state.paused || draft.state.halted) return;
  if (verdict?.verdict === 'degraded' && verdict.breach === 'rollback')
    return haltFirstRelease(draft, verdict, now);
  // Forward only to what git can be read to ask for now.
  if (isHeld || wanted?.id !== candidate.revision.id) return;
  const { undecided } = candidate.revision.settings.rollout;
  const need = needOf(candidate);

  const requests = verdict?.requests ?? 0;
  const waited =
    now - candidate.stepSince >= need.forMs && requests - candidate.stepRequests >= need.requests;
  const overdue = candidate.phase !== 'baking' && now - candidate.since >= undecided.afterMs;
  const isForced = overdue && undecided.then === 'continue' && verdict?.verdict !== 'degraded';
  if (waited && (mayAdvance(verdict) || isForced)) draft.advance(candidate, requests, now);
  const next = draft.state.candidate;
  if (overdue && next?.phase === 'canary' && undecided.then !== 'continue') draft.undecided(next, verdict);
}

/** Both must hold before the candidate may go further. */
function needOf({ phase, step, revision }: Candidate): { forMs: number; requests: number } {
  const { steps, bake } = revision.settings.rollout;
  return (phase === 'baking' ? undefined : steps[step]) ?? bake;
}

function wakeForCandidate(draft: Draft): void {
  const { candidate, paused, halted } = draft.state;
  if (!candidate || paused || halted) return;
  draft.wakeBy(candidate.stepSince + needOf(candidate).forMs);
  if (candidate.phase === 'canary')
    draft.wakeBy(candidate.since + candidate.revision.settings.rollout.undecided.afterMs);
}

/** Objectives that only page or notify call a person; those that hold or roll back must be found healthy. */
function mayAdvance(verdict: Verdict | null): boolean {
  if (!verdict || verdict.verdict === 'error') return false;
  const binding = verdict.findings.filter(({ breach }) => breach === 'rollback' || breach === 'hold');
  if (binding.length === 0 && verdict.findings.length > 0) return true;
  if (binding.length === 0) return verdict.verdict === 'healthy';
  return binding.every(found => found.verdict === 'healthy');
}

/** Nothing to go back to: keep serving, promote nothing, call a person. With a stable, proposal takes over. */
function haltFirstRelease(draft: Draft, verdict: Verdict, now: Instant): void {
  if (draft.state.stable) return;
  draft.change({ halted: { reason: verdict.reason, since: now } });
  draft.event('rollout.halted', { reason: verdict.reason });
}

/** The state as it is being changed, with what is to be told of the changes. */
class Draft {
  state: RolloutState;
  isNew = false;
  readonly #input: StepInput;
  readonly #events: NewEvent[] = [];
  readonly #settled: Settled[] = [];
  #wakeAt = Number.POSITIVE_INFINITY;

  constructor(input: StepInput) {
    this.#input = input;
    this.state = input.state;
  }

  done(): Stepped {
    return { state: this.state, events: this.#events, settled: this.#settled, wakeAt: this.#wakeAt };
  }

  change(part: Partial<RolloutState>): void {
    this.state = { ...this.state, ...part };
  }

  wakeBy(at: Instant): void {
    if (at > this.#input.now) this.#wakeAt = Math.min(this.#wakeAt, at);
  }

  /** All traffic to what served before. Where that has not baked it goes on to prove itself, as a first release does. */
  serve(revision: RevisionSpec, type: EventType, data: Record<string, unknown>): void {
    const isBaked = this.state.baked.some(({ id }) => id === revision.id);
    this.#enter(isBaked ? revision : null, isBaked ? null : this.#candidate(revision, 'baking'));
    this.event(type, data);
  }

  /** A new candidate: in canary beside a stable, or at once with everything where there is nothing to compare. */
  begin(revision: RevisionSpec, stable: RevisionSpec | null): void {
    const phase = stable && revision.settings.rollout.steps.length > 0 ? 'canary' : 'baking';
    const candidate = this.#candidate(revision, phase);
    this.#enter(stable, candidate);
    this.event('rollout.started', {
      version: revision.version,
      revision: revision.id,
      from: stable?.version ?? null,
      weight: weightOf(candidate),
    });
  }

  /** What was known of another newest revision ends here: its verdict, its pause. */
  #enter(stable: RevisionSpec | null, candidate: Candidate | null): void {
    this.isNew = true;
    this.change({ stable, candidate, since: this.#input.now, paused: null, halted: null });
  }

  #candidate(revision: RevisionSpec, phase: Candidate['phase']): Candidate {
    const { now, commit } = this.#input;
    return { revision, phase, step: 0, stepSince: now, stepRequests: 0, since: now, commit, trail: [] };
  }

  advance(candidate: Candidate, requests: number, now: Instant): void {
    const trail = [
      ...candidate.trail,
      { weight: weightOf(candidate), at: candidate.stepSince, requests: requests - candidate.stepRequests },
    ];
    if (candidate.phase === 'baking') return this.#bake(candidate, trail);
    const isLast = candidate.step + 1 >= candidate.revision.settings.rollout.steps.length;
    const next: Candidate = {
      ...candidate,
      phase: isLast ? 'baking' : candidate.phase,
      step: candidate.step + 1,
      stepSince: now,
      stepRequests: requests,
      trail,
    };
    this.change({ candidate: next });
    const { version } = candidate.revision;
    this.event(isLast ? 'rollout.promoted' : 'rollout.stepped', {
      version,
      weight: weightOf(next),
      requests,
    });
  }

  #bake(candidate: Candidate, trail: Candidate['trail']): void {
    const { revision } = candidate;
    this.settle('baked', revision, { trail, serves: revision });
    const baked: Baked = {
      id: revision.id,
      digest: revision.digest,
      version: revision.version,
      at: this.#input.now,
    };
    const others = this.state.baked.filter(({ id }) => id !== revision.id);
    this.change({ stable: revision, candidate: null, baked: [...others, baked].slice(-REMEMBERED_BAKES) });
    this.event('rollout.baked', { version: revision.version, revision: revision.id });
  }

  undecided(candidate: Candidate, verdict: Verdict | null): void {
    this.settle('undecided', candidate.revision);
    this.change({ candidate: { ...candidate, phase: 'undecided' } });
    this.event('rollout.undecided', {
      version: candidate.revision.version,
      reason: verdict?.reason ?? 'no data',
    });
  }

  settle(
    outcome: Settled['outcome'],
    revision: RevisionSpec,
    after: { serves?: RevisionSpec | null; trail?: Candidate['trail'] } = {},
  ): void {
    const { environment, model, stable } = this.state;
    const candidate = this.state.candidate?.revision.id === revision.id ? this.state.candidate : null;
    this.#settled.push({
      subject: `${environment}/${model}`,
      outcome,
      revision,
      stable: after.serves ?? stable,
      commit: candidate?.commit ?? this.#input.commit,
      startedAt: candidate?.since ?? this.state.since,
      at: this.#input.now,
      trail: after.trail ?? candidate?.trail ?? [],
      verdict: this.#input.verdict,
    });
  }

  event(type: EventType, data: Record<string, unknown>): void {
    const { environment, model } = this.state;
    const { now: at, commit } = this.#input;
    this.#events.push({ at, type, subject: `${environment}/${model}`, actor: 'controller', commit, data });
  }
}

/** Percent of the traffic a candidate gets where it stands now. */
export function weightOf(candidate: Candidate): number {
  const { steps } = candidate.revision.settings.rollout;
  return candidate.phase === 'baking' ? 100 : (steps[candidate.step]?.weight ?? 100);
}
