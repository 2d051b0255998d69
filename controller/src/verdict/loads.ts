import type { ErrorCode, Finding } from '@switchback-ml/schemas';
import type { Analysis, Attest } from './analysis.ts';

/** Failures that speak against the candidate; others, such as a failed pull, speak against the surroundings. */
const BLAMES_CANDIDATE = {
  E_MODEL_GOLDEN: 'does not give its golden answers',
  E_MODEL_LOAD: 'does not load',
  E_MODEL_SIGNATURE: 'does not have the signature it was registered with',
  E_ENGINE_DIED: 'kills its engine',
  E_ENGINE_MEMORY: 'needs more memory than it may',
} satisfies Partial<Record<ErrorCode, string>>;

const LONGEST_MESSAGE = 300;

/**
 * Null unless an instance says that it can't have the candidate, by the candidate's own fault. One instance is
 * enough: what failed with a fault of its own will not do better elsewhere. Words older than the analysis are of an earlier try.
 */
export function loads(analysis: Analysis, attests: readonly Attest[]): Finding | null {
  const ours = attests
    .filter(({ loaded, heardAt }) => loaded.revision === analysis.candidate && heardAt >= analysis.startedAt)
    .toSorted((a, b) => (a.instanceId < b.instanceId ? -1 : 1));
  const failed = ours.filter(({ loaded }) => faultOf(loaded) !== null);
  const [first] = failed;
  if (first === undefined) return null;

  return {
    objective: 'loads',
    verdict: 'degraded',
    breach: 'rollback',
    reason: `${faultOf(first.loaded)}: ${oneLine(first.loaded.failure?.message ?? '')}`,
    candidate: { bad: failed.length, total: ours.length },
    stable: { bad: 0, total: 0 },
    test: 'attest',
  };
}

function faultOf({ state, failure }: Attest['loaded']): string | null {
  if (state !== 'failed' || failure === undefined) return null;
  return Object.entries(BLAMES_CANDIDATE).find(([code]) => code === failure.code)?.[1] ?? null;
}

/** It goes on into a commit message, so it may hold no line break of its own. */
function oneLine(message: string): string {
  return message
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, LONGEST_MESSAGE);
}
