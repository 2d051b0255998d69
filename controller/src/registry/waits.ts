import type { Wait } from '@switchback-ml/schemas';
import { isHeld } from '../rollout/held.ts';
import type { Candidate } from '../rollout/rollout-state.ts';
import { weightOf } from '../rollout/step.ts';
import { isDegraded, missingWords } from './conditions.ts';
import type { Deployment, Surroundings } from './deployment.ts';
import { revertWait } from './operations.ts';

/** `1,204` */
const COUNT = new Intl.NumberFormat('en-US');

/** Everything a deployment waits for, what a person must do first. Each says what, since, until, who and how. */
export function waitsOf(deployment: Deployment, around: Surroundings): Wait[] {
  const { rollback } = deployment;
  return [
    ...haltedWaits(deployment),
    ...missingWaits(deployment),
    ...(rollback ? [revertWait(rollback, around)] : rolloutWaits(deployment, around)),
    ...brokenWaits(deployment, around),
    ...heldWaits(deployment, around),
    ...runtimeWaits(deployment, around),
    ...loadWaits(deployment, around),
    ...deployment.promotionWaits.map(wait => ({ ...wait, since: firstSaid(deployment, wait, around) })),
  ];
}

/** A gate that is judged anew in each cycle has no time of its own: what counts is when it was first said. */
function firstSaid({ subject }: Deployment, { what, since }: Wait, { seen }: Surroundings): number {
  return Math.min(since, seen.since(`${subject} gate ${what}`, since));
}

function haltedWaits({ environment, model, rollout }: Deployment): Wait[] {
  if (!rollout?.halted) return [];
  const version = rollout.candidate?.revision.version ?? rollout.stable?.version ?? 'it';
  const { reason, since } = rollout.halted;
  return [
    {
      what: `${version} is bad and there is no last good version to go back to: ${reason}`,
      since,
      until: null,
      who: 'whoever has a better version',
      command: `switchback promote ${model}@<version> ${environment}`,
    },
  ];
}

function rolloutWaits(deployment: Deployment, around: Surroundings): Wait[] {
  const { rollout } = deployment;
  if (!rollout || rollout.halted) return [];
  if (rollout.paused) return [pausedWait(deployment, rollout.paused)];
  if (isDegraded(deployment)) return [degradedWait(deployment, around)];
  if (rollout.candidate?.phase === 'undecided') return [undecidedWait(deployment, rollout.candidate)];
  return rollout.candidate ? [stepWait(deployment, rollout.candidate, around)] : [];
}

function pausedWait(
  { subject }: Deployment,
  { by, reason, since }: { by: string; reason: string; since: number },
): Wait {
  return {
    what: `the rollout is paused: ${reason}`,
    since,
    until: null,
    who: `${by}, or anybody who may resume it`,
    command: `switchback resume ${subject} --reason …`,
  };
}

function degradedWait(deployment: Deployment, { seen, now }: Surroundings): Wait {
  const { subject, rollout, verdict } = deployment;
  const newest = rollout?.candidate?.revision ?? rollout?.stable;
  const why = whyNotRolledBack(deployment);
  return {
    what: `${newest?.version ?? subject} is degraded: ${verdict?.reason ?? ''}; not rolled back, ${why}`,
    since: seen.since(`${subject} degraded`, now),
    until: null,
    who: 'a person',
    command: `switchback rollback ${subject} --reason …`,
  };
}

function whyNotRolledBack({ environment, rollout, policy, verdict, endedRollback }: Deployment): string {
  if (verdict?.breach === 'page' || verdict?.breach === 'hold')
    return `its objective asks to ${verdict.breach}`;
  if (!rollout?.candidate) return 'no newer revision is there to leave';
  if (!rollout.stable) return 'there is no last good version to go back to';
  if (policy?.mode === 'observe') return `${environment} is in mode observe`;
  const { intent, state, result } = endedRollback ?? {};
  if (intent?.kind !== 'rollback' || intent.from.id !== rollout.candidate.revision.id)
    return 'its rollback begins with the next cycle';
  if (state === 'withheld') return `it was withheld: ${result?.reason ?? 'no reason was kept'}`;
  return 'this very rollback was made before';
}

function undecidedWait({ subject, verdict }: Deployment, candidate: Candidate): Wait {
  const { version, settings } = candidate.revision;
  return {
    what: `${version} is undecided at its deadline, at ${weightOf(candidate)} %: ${verdict?.reason ?? 'no data'}`,
    since: candidate.since + settings.rollout.undecided.afterMs,
    until: null,
    who: 'a person, or enough traffic to be sure',
    command: `switchback abort ${subject} --reason …`,
  };
}

/** A candidate in canary or baking: time and requests must both have been. */
function stepWait(deployment: Deployment, candidate: Candidate, { now }: Surroundings): Wait {
  const { subject, environment, verdict } = deployment;
  const { steps, bake, undecided } = candidate.revision.settings.rollout;
  const isCanary = candidate.phase === 'canary';
  const need = (isCanary ? steps[candidate.step] : bake) ?? bake;
  const requests = Math.max(0, (verdict?.requests ?? 0) - candidate.stepRequests);
  const timeIsUpAt = candidate.stepSince + need.forMs;
  const where = isCanary
    ? `in canary, step ${candidate.step + 1} of ${steps.length} at ${weightOf(candidate)} %`
    : 'baking, with all the traffic';
  const unsure = verdict && verdict.verdict !== 'healthy' ? `; ${verdict.verdict}: ${verdict.reason}` : '';
  const deadline = isCanary ? candidate.since + undecided.afterMs : null;
  return {
    what: `${candidate.revision.version} is ${where}: ${COUNT.format(requests)} of ${COUNT.format(need.requests)} requests${unsure}`,
    since: candidate.stepSince,
    until: now < timeIsUpAt ? timeIsUpAt : deadline,
    who: whoMoves(now < timeIsUpAt, requests < need.requests || unsure !== '', environment),
    command: `switchback abort ${subject} --reason …`,
  };
}

function whoMoves(needsTime: boolean, needsTraffic: boolean, environment: string): string {
  const traffic = `traffic in ${environment}`;
  if (needsTime) return needsTraffic ? `time, and ${traffic}` : 'time';
  return needsTraffic ? traffic : 'the controller, in its next cycle';
}

function brokenWaits(deployment: Deployment, { seen, headSince }: Surroundings): Wait[] {
  const { subject, model, desired, policy, problems } = deployment;
  if (policy && desired?.wanted !== null) return [];
  const [problem] = problems;
  const missing = problem
    ? `${problem.path} to be mended: ${problem.message}`
    : `a version of ${model} that may be served: none is there, or all are on hold`;
  return [
    {
      what: `${missing}; what runs stays`,
      since: seen.since(`${subject} broken`, headSince),
      until: null,
      who: problem ? `whoever changed ${problem.path}` : 'whoever registers versions',
      command: 'switchback validate',
    },
  ];
}

function heldWaits({ subject, desired }: Deployment, { seen, headSince, now }: Surroundings): Wait[] {
  const wanted = desired?.wanted;
  const hold = wanted && desired.holds.find(entry => isHeld(wanted, [entry], now));
  if (!hold) return [];
  return [
    {
      what: `the release names ${wanted.version}, which is on hold: ${hold.reason}; delete ${hold.path} to lift it`,
      since: seen.since(`${subject} held ${hold.path}`, headSince),
      until: hold.until === undefined ? null : Date.parse(hold.until),
      who: 'a person',
      command: `git rm ${hold.path} && git commit`,
    },
  ];
}

function runtimeWaits({ environment, runtime, subject }: Deployment, { seen, now }: Surroundings): Wait[] {
  if (runtime?.state === 'running') return [];
  const what = {
    starting: `the runtime of ${environment} to answer for the first time`,
    lost: `the runtime of ${environment} to be replaced: it died or does not answer`,
    none: `a runtime of ${environment} to be started`,
  }[runtime?.state ?? 'none'];
  const since = seen.since(`${subject} runtime ${runtime?.state ?? 'none'}`, now);
  return [{ what, since, until: null, who: 'the controller', command: 'switchback events --follow' }];
}

/** Who can bring a file that is not there; for any other reason, whoever looks after the machine. */
const MISSING_MOVERS: Readonly<Record<string, Pick<Wait, 'who' | 'command'>>> = {
  E_LFS_OBJECT: {
    who: 'whoever pushed it, from a clone that has the file',
    command: 'git lfs push --all origin',
  },
  E_LFS_DIGEST: { who: 'whoever pushed it, or who runs the LFS server', command: 'switchback doctor' },
  E_LFS_UNREACHABLE: { who: 'the LFS server, or whoever runs it', command: 'switchback doctor' },
};
const OTHER_MOVER = { who: 'whoever runs the controller', command: 'switchback doctor' };

/** Nothing is loaded before it is there: of a version that waits for a file, that is all there is to say. */
function missingWaits({ missing }: Deployment): Wait[] {
  return missing.map(artifact => ({
    what: `${artifact.version} to be pulled: ${missingWords(artifact)}`,
    since: artifact.since,
    until: null,
    ...(MISSING_MOVERS[artifact.code] ?? OTHER_MOVER),
  }));
}

function loadWaits(
  { subject, backends, missing, rollout, words, runtime }: Deployment,
  { seen, now }: Surroundings,
): Wait[] {
  if (runtime?.state !== 'running' || words.length === 0) return [];
  return (
    backends
      .filter(({ state, version }) => state !== 'ready' && !missing.some(it => it.version === version))
      // Why it is halted is why it failed, and is said.
      .filter(({ state }) => state !== 'failed' || !rollout?.halted)
      .map(({ version, revision, state, failure }) => ({
        what: {
          pulling: `${version} to be pulled: the runtime does not have its artifacts yet`,
          loading: `${version} to be loaded and to give its golden answers`,
          unknown: `the runtime to take up ${version}`,
          failed: `a version that can be served: ${version} failed, ${failure ?? 'the runtime gave no reason'}`,
        }[state as 'pulling' | 'loading' | 'unknown' | 'failed'],
        since: seen.since(`${subject} ${revision} ${state}`, now),
        until: null,
        who: state === 'failed' ? 'whoever registers versions' : 'the controller and the runtime',
        command: 'switchback events --follow',
      }))
  );
}
