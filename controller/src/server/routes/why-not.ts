import { EnvironmentName, ModelName, VersionLabel, type Wait } from '@switchback-ml/schemas';
import { z } from 'zod';
import { SwitchbackError } from '../../error.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Heard } from '../../observation/observation.ts';
import { operationId } from '../../proposal/intent.ts';
import { promotions } from '../../proposal/promotion.ts';
import type { PromotionInput } from '../../proposal/promotion-case.ts';
import type { FirstSeen } from '../../registry/first-seen.ts';
import type { WhyNotInput } from '../../registry/why-not/reason.ts';
import { type Asked, WhyNot, whyNot } from '../../registry/why-not.ts';
import { type Endpoint, endpoint } from '../route.ts';
import { statusNow } from '../status-now.ts';
import type { ServerWorld } from '../world.ts';

/** Judged by the rules that decide, on what they would decide on in the next cycle. */
export function whyNotThere(world: ServerWorld, seen: FirstSeen): Endpoint {
  return endpoint({
    summary:
      'Why a version is not in an environment now: every reason, who can move it, and by which command',
    params: z.object({ environment: EnvironmentName, model: ModelName }),
    query: z.strictObject({ version: VersionLabel }),
    answers: { found: WhyNot },
    handle: async ({ params, query }) => {
      const asked = { ...params, ...query };
      const input = promotionInput(world);
      const made = await madeBefore(asked, input, world.ledger);
      return { kind: 'found', body: whyNot(asked, { ...input, ...surroundings(world, seen), made }) };
    },
  });
}

function promotionInput({ state, repository, clock }: ServerWorld): PromotionInput {
  const { desired, rollouts, verdicts } = state;
  const history = repository.latest()?.history;
  if (!desired || !history) {
    const message = 'The controller has acted on no commit yet, so it can not tell. Ask again.';
    throw new SwitchbackError('E_LEASE_HELD', message);
  }
  const requests = new Map([...verdicts].map(([subject, verdict]) => [subject, verdict.requests]));
  return { desired, history, states: rollouts, requests, now: clock.now() };
}

function surroundings(
  world: ServerWorld,
  seen: FirstSeen,
): Pick<WhyNotInput, 'open' | 'served' | 'waits' | 'remote'> {
  const { environments } = statusNow(world, seen);
  const waits = new Map<string, readonly Wait[]>(
    environments.flatMap(({ name, deployments }) =>
      deployments.map(({ model, waits }) => [`${name}/${model}`, waits] as const),
    ),
  );
  const remoteFailure = world.repository.contact().failure?.message ?? null;
  return {
    open: world.state.open.list(),
    served: subject => servedIn(world.observation.latest().heard, subject),
    waits: subject => waits.get(subject) ?? [],
    remote: { branch: world.branch, remoteFailure },
  };
}

/** Of the instance that was heard last; the others are on their way to the same. */
function servedIn(heard: readonly Heard[], subject: string): ReturnType<WhyNotInput['served']> {
  const [environment, model = ''] = subject.split('/');
  const words = heard.filter(word => word.environment === environment);
  const last = words.reduce<Heard | null>(
    (newest, word) => (newest === null || word.heardAt > newest.heardAt ? word : newest),
    null,
  );
  return last?.observation.routes[model as ModelName]?.backends ?? [];
}

/** A promotion is made once for one commit, whatever came of it. */
async function madeBefore(
  { environment, model, version }: Asked,
  input: PromotionInput,
  ledger: Pick<Ledger, 'operation'>,
): Promise<WhyNotInput['made']> {
  const ready = promotions(input).ready.find(
    intent => intent.environment === environment && intent.model === model && intent.version === version,
  );
  return ready ? ledger.operation(operationId(ready)) : null;
}
