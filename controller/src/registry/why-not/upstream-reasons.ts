import type { EnvironmentName } from '@switchback-ml/schemas';
import { subjectOf } from '../../rollout/rollout-state.ts';
import {
  changedAt,
  environmentPath,
  promoteCommand,
  type Question,
  type Reason,
  unreadable,
  unreadableDeployment,
  type WhyNotInput,
} from './reason.ts';

/** Why no upstream has it as its current, baked release; empty: one has. */
export function upstreamReasons(question: Question, input: WhyNotInput): Reason[] {
  const { promotesFrom } = question.environment;
  if (promotesFrom.length === 0) return [noUpstream(question, input)];
  const reasons = promotesFrom.map(upstream => reasonsOf(upstream, question, input));
  return reasons.some(list => list.length === 0) ? [] : reasons.flat();
}

function noUpstream(question: Question, { history, now }: WhyNotInput): Reason {
  const { environment } = question;
  return {
    kind: 'no-upstream',
    what: `${environment.name} promotes from no environment, so nothing comes there by itself`,
    since: changedAt(environmentPath(environment), history, now),
    until: null,
    who: 'a person',
    command: promoteCommand(question),
  };
}

function reasonsOf(upstream: EnvironmentName, question: Question, input: WhyNotInput): Reason[] {
  const { model, version } = question;
  const { desired, states, history, now } = input;
  const subject = subjectOf(upstream, model.name);
  const environment = desired.environments.get(upstream);
  if (!environment) return [unreadable(environmentPath({ name: upstream }), 'what runs there stays', input)];
  const deployment = environment.deployments.get(model.name);
  if (deployment && deployment.wanted === null)
    return [unreadableDeployment(deployment, { subject, model }, input)];

  const wanted = deployment?.wanted ?? null;
  if (wanted?.digest !== version.digest) {
    const since = deployment ? changedAt(deployment.releasePath, history, now) : now;
    return [notUpstream(question, subject, wanted?.version ?? null, since)];
  }
  const state = states.get(subject);
  const isCurrent = state && !state.candidate && !state.halted && state.stable?.id === wanted.id;
  if (isCurrent && state.baked.some(({ id }) => id === wanted.id)) return [];
  return notBaked(question, subject, input);
}

function notUpstream(question: Question, subject: string, runs: string | null, since: number): Reason {
  const { version } = question;
  return {
    kind: 'not-upstream',
    what: `${subject} runs ${runs ?? 'nothing'}, not ${version.label}: only upstream's current release is promoted`,
    since,
    until: null,
    who: 'whatever brings it there first, or a person who promotes it untried',
    command: `switchback why-not ${subject}@${version.label}`,
  };
}

/** What upstream itself waits for with it. */
function notBaked({ version }: Question, subject: string, { waits, states, now }: WhyNotInput): Reason[] {
  const theirs = waits(subject).map(wait => ({
    ...wait,
    kind: 'upstream' as const,
    what: `${subject}: ${wait.what}`,
  }));
  if (theirs.length > 0) return theirs;
  return [
    {
      kind: 'upstream',
      what: `${version.label} is not last good in ${subject} yet: it has not baked there`,
      since: states.get(subject)?.since ?? now,
      until: null,
      who: 'the controller, in its next cycle',
      command: 'switchback status',
    },
  ];
}
