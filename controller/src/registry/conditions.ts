import type { Condition, Instant, RolloutPhase } from '@switchback-ml/schemas';
import type { MissingArtifact } from '../missing-artifacts.ts';
import { shares } from '../plan/shares.ts';
import { isHeld } from '../rollout/held.ts';
import type { RolloutState } from '../rollout/rollout-state.ts';
import { servedShares } from './backends.ts';
import type { Deployment, Surroundings } from './deployment.ts';
import { revertWait } from './operations.ts';

/** A condition before it is known since when; `since` where the thing itself has a time. */
interface Claim {
  status: boolean;
  reason: string;
  message: string;
  since?: Instant | undefined;
}

/** Every condition is always said, true or false, in this order. */
const CLAIMS: Record<Condition['type'], (deployment: Deployment, around: Surroundings) => Claim> = {
  Ready: ready,
  Reconciling: reconciling,
  Stalled: stalled,
  Held: held,
  RevertPending: revertPending,
  Frozen: frozen,
  Diverged: diverged,
};

export function conditionsOf(deployment: Deployment, around: Surroundings): Condition[] {
  return (Object.keys(CLAIMS) as Condition['type'][]).map(type => {
    const { status, reason, message, since } = CLAIMS[type](deployment, around);
    const claim = `${deployment.subject} ${type} ${status}`;
    return { type, status, reason, message, since: around.seen.since(claim, since ?? around.now) };
  });
}

/** Where the rollout stands in one word. A rollback lasts until git has it. */
export function phaseOf({
  rollout,
  rollback,
}: {
  rollout: RolloutState | null;
  /** Whatever is there means that one is open. */
  rollback: unknown;
}): RolloutPhase {
  if (rollback) return 'rolling-back';
  if (rollout?.halted) return 'halted';
  return rollout?.candidate?.phase ?? 'steady';
}

/** Whether requests are answered now, by whichever revision. */
function ready({ subject, model, runtime, backends, words, missing }: Deployment): Claim {
  const answers = servedShares(model, words).some(share => share !== '');
  if (runtime?.state === 'running' && answers)
    return {
      status: true,
      reason: 'Serving',
      message: `${subject} is answered from ${places(words.length)}`,
    };
  if (runtime?.state !== 'running')
    return { status: false, reason: 'NoRuntime', message: 'no runtime of the environment answers' };
  if (words.length === 0)
    return { status: false, reason: 'NotHeard', message: 'the runtime has not said what it serves' };
  const failed = backends.find(({ state }) => state === 'failed');
  if (failed) {
    const message = `${failed.version} can't be served: ${failed.failure ?? 'the runtime gave no reason'}`;
    return { status: false, reason: 'NotLoaded', message };
  }
  if (missing[0]) return { status: false, reason: 'ArtifactMissing', message: missingWords(missing[0]) };
  if (backends.length === 0)
    return { status: false, reason: 'NothingToServe', message: 'no revision of it has been taken up' };
  return { status: false, reason: 'Loading', message: 'the runtime has not loaded it yet' };
}

/** `models/fraud/versions/1.3.0/model.onnx can not be had: … (E_LFS_OBJECT)` */
export function missingWords({ path, message, code }: MissingArtifact): string {
  return `${path} can not be had: ${message.replace(/\.$/, '')} (${code})`;
}

function places(instances: number): string {
  return instances === 1 ? 'one runtime' : `${instances} runtimes`;
}

function reconciling(deployment: Deployment): Claim {
  const phase = phaseOf(deployment);
  const { rollout, rollback } = deployment;
  const version = rollout?.candidate?.revision.version ?? '';
  if (phase === 'rolling-back') return claim('RollingBack', 'a rollback is under way', rollback?.createdAt);
  if (phase === 'canary') return claim('Canary', `${version} is in canary`, rollout?.candidate?.since);
  if (phase === 'baking') return claim('Baking', `${version} bakes`, rollout?.candidate?.since);
  if (diverged(deployment).status)
    return claim('Converging', 'the runtime is on its way to the target', undefined);
  return { status: false, reason: 'Settled', message: 'nothing is under way' };
}

/** Whether it needs a new commit or a person to go on. */
function stalled(deployment: Deployment, { now }: Surroundings): Claim {
  const { desired, policy, rollout, rollback, verdict } = deployment;
  if (rollout?.halted) return claim('Halted', rollout.halted.reason, rollout.halted.since);
  if (rollback?.state === 'refused')
    return claim('WaitsForPerson', rollback.result.reason ?? 'git refused the rollback', rollback.updatedAt);
  if (rollout?.paused) {
    const { by, reason, since } = rollout.paused;
    return claim('Paused', `paused by ${by}: ${reason}`, since);
  }
  if (rollout?.candidate?.phase === 'undecided')
    return claim('Undecided', verdict?.reason ?? 'no data', undefined);
  if (!policy || desired?.wanted === null)
    return deployment.problems[0] || !policy
      ? claim(
          'ManifestBroken',
          deployment.problems[0]?.message ?? "a manifest of it can't be read",
          undefined,
        )
      : claim('NothingToServe', 'none of its versions may be served', undefined);
  if (isWantedHeld(deployment, now)) return claim('Held', 'the release names a held digest', undefined);
  if (isDegraded(deployment)) return claim('Degraded', verdict?.reason ?? '', undefined);
  return { status: false, reason: 'MayGoOn', message: 'no person has to act' };
}

/** Bad, and yet automation does nothing: it may not, or there is nothing to leave. */
export function isDegraded({ verdict, rollback }: Deployment): boolean {
  return !rollback && verdict?.verdict === 'degraded' && verdict.breach !== 'notify';
}

export function isWantedHeld({ desired }: Deployment, now: Instant): boolean {
  return desired?.wanted ? isHeld(desired.wanted, desired.holds, now) : false;
}

function held(deployment: Deployment, { now }: Surroundings): Claim {
  const wanted = deployment.desired?.wanted;
  const hold = wanted && deployment.desired?.holds.find(entry => isHeld(wanted, [entry], now));
  if (!hold) return newerHeld(deployment);
  return claim('ReleaseHeld', `${wanted.version} is on hold by ${hold.path}: ${hold.reason}`, undefined);
}

/** What would be served, or promoted, but for a hold: without a word of it all would look well. */
function newerHeld({ newerHeld: [newest] }: Deployment): Claim {
  if (!newest) return { status: false, reason: 'NotHeld', message: 'no hold names what git asks for' };
  const { version, hold } = newest;
  return claim('NewerHeld', `${version} is newer and on hold by ${hold.path}: ${hold.reason}`, undefined);
}

function revertPending({ rollback }: Deployment, around: Surroundings): Claim {
  if (!rollback) return { status: false, reason: 'InGit', message: 'git says what is served' };
  const reasons: Record<string, string> = {
    intended: 'TrafficMoving',
    moved: around.remoteFailure ? 'RemoteUnreachable' : 'NotPushed',
    pushed: 'NotSeen',
    refused: 'WaitsForPerson',
  };
  return claim(reasons[rollback.state] ?? 'NotPushed', revertWait(rollback, around).what, rollback.createdAt);
}

function frozen({ environment, model, policy }: Deployment, { now }: Surroundings): Claim {
  const freeze = policy?.freezes.find(
    entry =>
      (entry.model === undefined || entry.model === model) &&
      (entry.until === undefined || Date.parse(entry.until) > now),
  );
  if (!freeze) return { status: false, reason: 'NotFrozen', message: 'no freeze is in force' };
  return claim('Freeze', `${environment} is frozen by ${freeze.path}: ${freeze.reason}`, undefined);
}

/** Whether an instance answers from anything else than the target; silence is no divergence. */
function diverged({ subject, model, backends, words }: Deployment): Claim {
  const target = shares(backends);
  const other = servedShares(model, words).find(share => share !== target);
  if (other === undefined)
    return { status: false, reason: 'AsWanted', message: 'what is served is the target, as far as is known' };
  const message = `${subject} answers from ${other || 'nothing'}, the target is ${target || 'nothing'}`;
  return { status: true, reason: 'ServesOther', message };
}

function claim(reason: string, message: string, since: Instant | undefined): Claim {
  return { status: true, reason, message, since };
}
