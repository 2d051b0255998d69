import { EnvironmentName, ModelName, OperationId } from '@switchback-ml/schemas';
import { z } from 'zod';
import { SwitchbackError } from '../../error.ts';
import { isEnded } from '../../operation/open-operations.ts';
import type { PersonRequest } from '../../requests.ts';
import { subjectOf } from '../../rollout/rollout-state.ts';
import { type Decided, decide, type PersonVerb } from '../person-request.ts';
import { type Endpoint, endpoint } from '../route.ts';
import { aborted, within } from '../within.ts';
import type { ServerWorld } from '../world.ts';
import { Words } from './words.ts';

/** A cycle is due at least every second; one that takes longer than this is stuck. */
const CYCLE_PATIENCE_MS = 8_000;

const Done = z.object({
  operation: OperationId.optional(),
  did: z.string(),
  gitWillSay: z.string(),
  undo: z.string(),
});

const SUMMARIES: Record<PersonVerb, string> = {
  rollback: 'Back to the last good revision, at once; git is told after',
  abort: 'Leave the candidate that is being rolled out; the same as a rollback',
  pause: 'Keep the candidate at its present weight',
  resume: 'Let a paused rollout go on',
};

export function personVerb(world: ServerWorld, verb: PersonVerb): Endpoint {
  return endpoint({
    summary: SUMMARIES[verb],
    params: z.object({ environment: EnvironmentName, model: ModelName }),
    body: Words,
    answers: { accepted: Done },
    handle: async ({ params: { environment, model }, body: { reason, by }, signal }) => {
      const epoch = world.epoch();
      const history = world.repository.latest()?.history;
      if (epoch === null || !history) throw notLeading();
      const wish = { verb, subject: subjectOf(environment, model), by, reason };
      const now = world.clock.now();
      const decided = decide(wish, { state: world.state, history, epoch, now });
      if (decided.request) await carryOut(world, decided.request, decided, signal);
      const { operation, did, gitWillSay, undo } = decided;
      return { kind: 'accepted', body: { ...(operation ? { operation } : {}), did, gitWillSay, undo } };
    },
  });
}

export function nudge({ repository }: ServerWorld): Endpoint {
  return endpoint({
    summary: 'Look at the remote now',
    answers: { done: null },
    handle: () => {
      repository.nudge();
      return { kind: 'done' };
    },
  });
}

/** Hands the request to the next cycle and answers only once that has remembered it. */
async function carryOut(
  world: ServerWorld,
  request: PersonRequest,
  decided: Decided,
  signal: AbortSignal,
): Promise<void> {
  const isTaken = await within(world.clock, CYCLE_PATIENCE_MS, signal, over =>
    Promise.race([world.requests.ask(request).then(() => true), aborted(over).then(() => false)]),
  );
  if (!isTaken) {
    const message =
      'The controller has the request but made no cycle in time. Look with "switchback status" before asking again.';
    throw new SwitchbackError('E_OVERLOADED', message);
  }
  if (request.kind === 'intend' && decided.operation) await checkRemembered(world, decided.operation);
}

/** The same rollback is made once only; what came of it before is told rather than promised again. */
async function checkRemembered({ state, ledger }: ServerWorld, id: OperationId): Promise<void> {
  if (state.open.has(id)) return;
  const record = await ledger.operation(id);
  if (!record) throw notLeading();
  if (!isEnded(record.state) || record.state === 'done') return;
  const message = `This very rollback (${id}) was ${record.state} before and is not made twice. Put it into git: change the release by a commit, or revert the one that brought the version.`;
  throw new SwitchbackError('E_CONFLICT', message);
}

function notLeading(): SwitchbackError {
  return new SwitchbackError(
    'E_LEASE_HELD',
    'This controller does not lead, or has seen no commit yet, so it remembered nothing. Ask again, or ask the one that leads.',
  );
}
