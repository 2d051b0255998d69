import { fileURLToPath } from 'node:url';

export const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));
export const ENVIRONMENTS = ['dev', 'staging', 'prod'] as const;
export type Environment = (typeof ENVIRONMENTS)[number];
export const MODELS = ['screening', 'second-opinion', 'triage', 'digits', 'wine'] as const;
export type Model = (typeof MODELS)[number];

const TUMOUR = { good: ['better', 'fixed'], bad: ['nan', 'slow'] } as const;

/** What each model can be given: versions that pass every gate beside each other, and ones with faults of their own. */
export const CANDIDATES: Readonly<Record<Model, { good: readonly string[]; bad: readonly string[] }>> = {
  screening: TUMOUR,
  'second-opinion': TUMOUR,
  triage: TUMOUR,
  digits: { good: ['digits-good', 'digits-better'], bad: [] },
  wine: { good: ['wine-better'], bad: ['wine-logits'] },
};
