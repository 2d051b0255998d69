import type { Instant, Wait } from '@switchback-ml/schemas';
import type { DesiredVersion } from '../desired/desired-state.ts';
import { subjectOf } from '../rollout/rollout-state.ts';
import type { PromotionCase, PromotionInput } from './promotion-case.ts';

/** What a promotion still waits for, each with who can move it and how; empty: nothing. */
export function gateWaits(candidate: PromotionCase, input: PromotionInput): Wait[] {
  return [
    ...freezeWaits(candidate, input.now),
    ...soakWaits(candidate, input),
    ...evaluationWaits(candidate, input),
    ...factWaits(candidate, input.now),
  ];
}

function freezeWaits({ environment, model }: PromotionCase, now: Instant): Wait[] {
  return environment.freezes
    .filter(freeze => freeze.model === undefined || freeze.model === model)
    .filter(freeze => freeze.until === undefined || Date.parse(freeze.until) > now)
    .map(freeze => ({
      what: `${environment.name} is frozen: ${freeze.reason}`,
      since: now,
      until: freeze.until === undefined ? null : Date.parse(freeze.until),
      who: freeze.by ?? 'whoever froze it',
      command: `git rm ${freeze.path} && git commit`,
    }));
}

/** Soak counts from when the version entered upstream, never from a commit's date, which a rebase moves. */
function soakWaits({ environment, model, upstream, version }: PromotionCase, input: PromotionInput): Wait[] {
  const { soak } = environment.gates;
  const subject = subjectOf(upstream, model);
  const since = input.states.get(subject)?.since ?? input.now;
  const waits: Wait[] = [];
  const command = `switchback promote ${model}@${version.label} ${environment.name}`;
  if (soak?.for !== undefined && input.now - since < soak.for) {
    waits.push({
      what: `${version.label} soaks in ${upstream}`,
      since,
      until: since + soak.for,
      who: 'time',
      command,
    });
  }
  const requests = input.requests.get(subject) ?? 0;
  if (soak?.requests !== undefined && requests < soak.requests) {
    const what = `${version.label} has answered ${requests} of ${soak.requests} requests in ${upstream}`;
    waits.push({ what, since, until: null, who: `traffic in ${upstream}`, command });
  }
  return waits;
}

function evaluationWaits(
  { environment, model, version, present }: PromotionCase,
  { desired, now }: PromotionInput,
): Wait[] {
  const running = desired.models
    .get(model)
    ?.versions.find(({ digest }) => digest === present?.wanted?.digest);
  if (!running) return [];
  return Object.entries(environment.gates.evaluation ?? {}).flatMap(([metric, { worseBy }]) => {
    const what = evaluationProblem(metric, worseBy, version, running);
    if (!what) return [];
    const command = `switchback promote ${model}@${version.label} ${environment.name} --reason …`;
    return [
      {
        what,
        since: now,
        until: null,
        who: 'whoever trains it, or a person who promotes it anyway',
        command,
      },
    ];
  });
}

function evaluationProblem(
  metric: string,
  worseBy: number,
  version: DesiredVersion,
  running: DesiredVersion,
): string | null {
  const of = ({ evaluation }: DesiredVersion) =>
    evaluation.find(entry => entry.metric === metric && entry.slice === undefined);
  const [now, before] = [of(version), of(running)];
  if (!now) return `${version.label} has no ${metric}`;
  if (!before) return null;
  // Twelve digits: 0.905 - 0.9 is not more than 0.005.
  const loss = Number(
    (now.better === 'higher' ? before.value - now.value : now.value - before.value).toPrecision(12),
  );
  if (loss <= worseBy) return null;
  return `${metric} of ${version.label} is ${now.value}, more than ${worseBy} worse than ${before.value} of ${running.label}`;
}

function factWaits({ environment, model, version, present }: PromotionCase, now: Instant): Wait[] {
  return (environment.gates.require ?? [])
    .filter(fact => !hasFact(fact, version, present?.wanted ?? null))
    .map(fact => ({
      what:
        fact === 'compatible-signature'
          ? `${version.label} has another signature than what runs`
          : `${version.label} lacks ${fact}`,
      since: now,
      until: null,
      who: 'whoever registers versions',
      command: `switchback register … --name ${model}`,
    }));
}

/** `golden` always holds: without golden answers a version can't be read. Inputs must stay, outputs may be added. */
function hasFact(
  fact: string,
  version: DesiredVersion,
  running: { signature: DesiredVersion['signature'] } | null,
): boolean {
  if (fact === 'golden') return true;
  if (fact !== 'compatible-signature') return version.facts.has(fact);
  if (!running) return true;
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  const { inputs, outputs } = running.signature;
  const inputsKept =
    Object.keys(version.signature.inputs).length === Object.keys(inputs).length &&
    Object.entries(inputs).every(([name, spec]) => same(version.signature.inputs[name], spec));
  return (
    inputsKept && Object.entries(outputs).every(([name, spec]) => same(version.signature.outputs[name], spec))
  );
}
