import type { Wait } from '@switchback-ml/schemas';
import { gateWaits } from '../../proposal/gates.ts';
import type { PromotionCase } from '../../proposal/promotion-case.ts';
import { changedAt, environmentPath, type Question, type Reason, type WhyNotInput } from './reason.ts';

/** What the gates would say of it, also while the rule does not let it come: each is one more thing to be done. */
export function gateReasons(question: Question, allowed: PromotionCase | null, input: WhyNotInput): Reason[] {
  const { environment, model, version } = question;
  if (environment.promotion.by === 'newest' || environment.promotion.by === 'person') return [];
  const present = environment.deployments.get(model.name) ?? null;
  const upstream = environment.promotesFrom[0] ?? environment.name;
  const asked = allowed ?? {
    environment: withoutSoak(environment),
    model: model.name,
    upstream,
    version,
    present,
  };
  return [...freezeReasons(asked, input), ...otherReasons(asked, input)];
}

/** Soak is counted for what upstream runs, and says nothing of a version that is not there. */
function withoutSoak(environment: PromotionCase['environment']): PromotionCase['environment'] {
  const { soak: _, ...gates } = environment.gates;
  return { ...environment, gates };
}

function freezeReasons(asked: PromotionCase, input: WhyNotInput): Reason[] {
  const { environment } = asked;
  return environment.freezes.flatMap(freeze => {
    const alone = { ...asked, environment: { ...environment, gates: {}, freezes: [freeze] } };
    return gateWaits(alone, input).map(wait => ({
      ...wait,
      kind: 'frozen' as const,
      since: changedAt(freeze.path, input.history, input.now),
    }));
  });
}

function otherReasons(asked: PromotionCase, input: WhyNotInput): Reason[] {
  const { environment, version } = asked;
  const gateSince = changedAt(environmentPath(environment), input.history, input.now);
  const since = (wait: Wait): number =>
    wait.since < input.now ? wait.since : Math.max(gateSince, version.introducedAt);
  const waits = gateWaits({ ...asked, environment: { ...environment, freezes: [] } }, input);
  return waits.map(wait => ({ ...wait, kind: 'gate' as const, since: since(wait) }));
}
