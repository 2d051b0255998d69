import type { ErrorCode, Finding } from '@switchback-ml/schemas';
import type { Analysis, Attest } from './analysis.ts';

/** Failures that speak against the candidate; others, such as a failed pull, speak against the surroundings. */
const BLAMES_CANDIDATE: Partial<Record<ErrorCode, string>> = {
  E_MODEL_GOLDEN: 'does not give its golden answers',
  E_MODEL_LOAD: 'does not load',
  E_MODEL_SIGNATURE: 'does not have the signature it was registered with',
  E_ENGINE_DIED: 'kills its engine',
  E_ENGINE_MEMORY: 'needs more memory than it may',
};

/** How runtimes begin sentences that say no more than the fault does: a commit's subject has no room for both. */
const SAID_TWICE: Partial<Record<ErrorCode, RegExp>> = {
  E_MODEL_GOLDEN: /^The model does not give its golden answers: (?=row )/,
  E_MODEL_SIGNATURE: /^The signature is not the model's: /,
};

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
    reason: reasonOf(first.loaded),
    candidate: { bad: failed.length, total: ours.length },
    stable: { bad: 0, total: 0 },
    test: 'attest',
  };
}

function faultOf({ state, failure }: Attest['loaded']): string | null {
  if (state !== 'failed' || failure === undefined) return null;
  return BLAMES_CANDIDATE[failure.code as ErrorCode] ?? null;
}

/** `golden row 3: score is 0.91 and should be 0.07 …`, so that the number comes early; else fault and message. */
function reasonOf(loaded: Attest['loaded']): string {
  const { code = '', message = '' } = loaded.failure ?? {};
  const said = oneLine(message);
  const rest = said.replace(SAID_TWICE[code as ErrorCode] ?? /^$/, '').replace(/\.$/, '');
  return code === 'E_MODEL_GOLDEN' && /^row \d+: /.test(rest)
    ? `golden ${rest}`
    : `${faultOf(loaded)}: ${rest}`;
}

/** It goes on into a commit message, so it may hold no line break of its own. */
function oneLine(message: string): string {
  return message
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, LONGEST_MESSAGE);
}
