import type { RevisionSpec } from '../desired/desired-state.ts';
import { COMMIT, FRAUD, PROD } from '../rollout/rollout.fixture.ts';
import type { PromotionIntent, RollbackIntent } from './intent.ts';

export const REASON = 'errors 5.1 % against 0.1 %, after 1,204 requests';

export function rollbackIntent(
  from: RevisionSpec,
  to: RevisionSpec,
  part: Partial<RollbackIntent> = {},
): RollbackIntent {
  return {
    kind: 'rollback',
    environment: PROD,
    model: FRAUD,
    from,
    to,
    cause: COMMIT,
    reason: REASON,
    evidence: { objective: 'available', candidateBad: 61, candidateTotal: 1204 },
    by: 'controller',
    ...part,
  };
}

export function promotionIntent(
  { version, digest }: Pick<RevisionSpec, 'version' | 'digest'>,
  part: Partial<PromotionIntent> = {},
): PromotionIntent {
  return {
    kind: 'promotion',
    environment: PROD,
    model: FRAUD,
    version,
    digest,
    replaces: null,
    from: 'staging' as PromotionIntent['from'],
    base: COMMIT,
    reason: 'baked in staging',
    by: 'controller',
    ...part,
  };
}
