import type { Instant, NewEvent, RevisionId, Verdict } from '@switchback-ml/schemas';
import type { Heard } from './observation/observation.ts';
import type { RolloutState, Subject } from './rollout/rollout-state.ts';
import { weightOf } from './rollout/step.ts';
import type { Analysis, AnalysisState, Attest, InstanceCounts } from './verdict/analysis.ts';
import { startAnalysis, verdict } from './verdict/verdict.ts';

export interface Judged {
  verdicts: ReadonlyMap<Subject, Verdict>;
  analyses: ReadonlyMap<Subject, AnalysisState>;
  events: readonly NewEvent[];
}

/** Judges the newest revision of every deployment by what the runtimes of its environment have said. */
export function judgeDeployments(
  states: ReadonlyMap<Subject, RolloutState>,
  heard: readonly Heard[],
  before: Pick<Judged, 'verdicts' | 'analyses'>,
  now: Instant,
): Judged {
  const verdicts = new Map<Subject, Verdict>();
  const analyses = new Map<Subject, AnalysisState>();
  const events: NewEvent[] = [];
  for (const [subject, state] of states) {
    const analysis = analysisOf(state);
    if (!analysis) continue;
    const { counts, attests } = wordsOn(state, analysis.candidate, heard);
    const known = before.analyses.get(subject) ?? startAnalysis(analysis, counts, now);
    const judged = verdict(analysis, counts, attests, known, now);
    verdicts.set(subject, judged.verdict);
    analyses.set(subject, judged.state);
    // A verdict on another revision says nothing of this one.
    const isSame = before.analyses.get(subject)?.candidate === judged.state.candidate;
    const was = isSame ? before.verdicts.get(subject) : undefined;
    const event = transition(subject, state, was, judged.verdict, now);
    if (event) events.push(event);
  }
  return { verdicts, analyses, events };
}

/** The newest revision is judged: a candidate beside stable, or alone once it has all the traffic. */
function analysisOf({ candidate, stable, since }: RolloutState): Analysis | null {
  const newest = candidate?.revision ?? stable;
  if (!newest) return null;
  const { steps, bake } = newest.settings.rollout;
  const hasControl = candidate !== null && stable !== null && weightOf(candidate) < 100;
  return {
    candidate: newest.id,
    stable: hasControl ? stable.id : null,
    objectives: newest.settings.objectives,
    startedAt: since,
    eventBudget:
      (candidate?.phase === 'canary' ? steps[candidate.step]?.requests : undefined) ?? bake.requests,
  };
}

function wordsOn(
  { environment, model }: RolloutState,
  candidate: RevisionId,
  heard: readonly Heard[],
): { counts: InstanceCounts[]; attests: Attest[] } {
  const counts: InstanceCounts[] = [];
  const attests: Attest[] = [];
  for (const { environment: from, observation, heardAt } of heard) {
    if (from !== environment) continue;
    const instance = { instanceId: observation.instanceId, startedAt: observation.startedAt, heardAt };
    const own = observation.counts.filter(({ model: of }) => of === model);
    for (const { revision, attempts, indicators } of own)
      counts.push({ ...instance, revision, attempts, indicators });
    // Heard and nothing counted yet: whatever it counts from now on is new.
    if (!own.some(({ revision }) => revision === candidate)) {
      counts.push({ ...instance, revision: candidate, attempts: 0, indicators: {} });
    }
    for (const loaded of observation.loaded) {
      if (loaded.model === model) attests.push({ instanceId: instance.instanceId, heardAt, loaded });
    }
  }
  return { counts, attests };
}

/** Told once when a deployment becomes degraded, and once when it no longer is. */
function transition(
  subject: Subject,
  { candidate, stable }: RolloutState,
  before: Verdict | undefined,
  now: Verdict,
  at: Instant,
): NewEvent | null {
  const was = before?.verdict === 'degraded' ? before.breach : undefined;
  const is = now.verdict === 'degraded' ? now.breach : undefined;
  if (was === is) return null;
  const revision = candidate?.revision ?? stable;
  const { reason, requests, findings } = now;
  const data = {
    version: revision?.version,
    revision: revision?.id,
    breach: is ?? null,
    reason,
    requests,
    findings,
  };
  // A steady release that degrades has nothing newer to leave: a person is called.
  const calls = is === 'page' || (is === 'rollback' && !candidate);
  const type = is === undefined ? 'verdict.recovered' : calls ? 'verdict.page' : 'verdict.degraded';
  return { at, type, subject, actor: 'controller', data };
}
