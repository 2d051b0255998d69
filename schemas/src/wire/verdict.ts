import { z } from 'zod';
import { Breach } from '../manifest/serving.ts';

export const VerdictKind = z.enum(['healthy', 'degraded', 'inconclusive', 'error']);
export type VerdictKind = z.infer<typeof VerdictKind>;

/** How one objective was found. Counts are of the analysis so far, bad among total. */
export const Finding = z.object({
  objective: z.enum(['fast', 'available', 'valid', 'loads']),
  verdict: VerdictKind,
  breach: Breach,
  /** One clause for a person: `errors 5.1 % against 0.1 %, after 1,204 requests`. */
  reason: z.string(),
  candidate: z.object({ bad: z.int(), total: z.int() }),
  stable: z.object({ bad: z.int(), total: z.int() }),
  /** Of the sequential test: degraded at `needs`. Absent where another rule spoke. */
  evidence: z.number().optional(),
  needs: z.number().optional(),
  test: z.enum(['sequential', 'burn-rate', 'attest', 'none']),
});
export type Finding = z.infer<typeof Finding>;

export const Verdict = z.object({
  verdict: VerdictKind,
  /** The strongest consequence asked for by a degraded objective; absent unless degraded. */
  breach: Breach.optional(),
  /** The finding that decided, in words. */
  reason: z.string(),
  findings: z.array(Finding),
  /** Routed attempts of the candidate since the analysis began. */
  requests: z.int(),
});
export type Verdict = z.infer<typeof Verdict>;
