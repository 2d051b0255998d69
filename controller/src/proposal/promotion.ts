import type { EnvironmentName, ModelName, Wait } from '@switchback-ml/schemas';
import type { DesiredState, DesiredVersion } from '../desired/desired-state.ts';
import { type Subject, subjectOf } from '../rollout/rollout-state.ts';
import { gateWaits } from './gates.ts';
import type { PromotionIntent } from './intent.ts';
import type { PromotionCase, PromotionInput } from './promotion-case.ts';
import { mayEnter } from './promotion-rule.ts';

/**
 * The promotion rule: automation puts a version into an environment only if that environment's first-parent
 * history never held it, no hold names its digest, and it is upstream's current, baked release. What passes the
 * rule still waits for the environment's gates.
 */
export function promotions(input: PromotionInput): { ready: PromotionIntent[]; waits: Map<Subject, Wait[]> } {
  const ready: PromotionIntent[] = [];
  const waits = new Map<Subject, Wait[]>();
  for (const candidate of promotionCases(input)) {
    const { environment, model, version, present, upstream } = candidate;
    const open = gateWaits(candidate, input);
    if (open.length > 0) {
      waits.set(subjectOf(environment.name, model), open);
      continue;
    }
    ready.push({
      kind: 'promotion',
      environment: environment.name,
      model,
      version: version.label,
      digest: version.digest,
      replaces: present?.wanted?.version ?? null,
      from: upstream,
      base: input.desired.commit,
      reason: `baked in ${upstream}`,
      by: 'controller',
    });
  }
  return { ready, waits };
}

/** Every promotion that the rule allows, whatever its gates say. */
export function promotionCases(input: Omit<PromotionInput, 'requests'>): PromotionCase[] {
  const { desired, states } = input;
  const cases: PromotionCase[] = [];
  for (const environment of desired.environments.values()) {
    const { by } = environment.promotion;
    if ((by !== 'push' && by !== 'pull-request') || environment.mode === 'observe') continue;
    for (const model of desired.models.keys()) {
      if (states.get(subjectOf(environment.name, model))?.halted) continue;
      const found = environment.promotesFrom
        .map(upstream => ({ upstream, version: currentAndBaked(desired, states, upstream, model) }))
        .find(({ version }) => version && mayEnter(input, environment, model, version));
      if (!found?.version) continue;
      const present = environment.deployments.get(model) ?? null;
      cases.push({ environment, model, upstream: found.upstream, version: found.version, present });
    }
  }
  return cases;
}

/** Upstream's release, if it is what git asks for there, is last good there, and nothing else is under way. */
function currentAndBaked(
  desired: DesiredState,
  states: PromotionInput['states'],
  upstream: EnvironmentName,
  model: ModelName,
): DesiredVersion | null {
  const wanted = desired.environments.get(upstream)?.deployments.get(model)?.wanted;
  const state = states.get(subjectOf(upstream, model));
  if (!wanted || !state || state.candidate || state.halted || state.stable?.id !== wanted.id) return null;
  if (!state.baked.some(({ id }) => id === wanted.id)) return null;
  return desired.models.get(model)?.versions.find(({ digest }) => digest === wanted.digest) ?? null;
}
