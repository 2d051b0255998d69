import { z } from 'zod';
import { messageOf } from '../../error.ts';
import { type Endpoint, endpoint } from '../route.ts';
import { aborted, within } from '../within.ts';
import type { ServerWorld } from '../world.ts';

const LEDGER_PATIENCE_MS = 2000;

const Readiness = z.object({ ready: z.boolean(), reasons: z.array(z.string()) });

export function health(): Endpoint {
  return endpoint({
    summary: 'Whether the process works',
    answers: { found: z.object({ alive: z.literal(true) }) },
    handle: () => ({ kind: 'found', body: { alive: true } }),
  });
}

export function readiness(world: ServerWorld): Endpoint {
  return endpoint({
    summary: 'Whether the controller leads, has acted on a commit, and can write its ledger; if not, why',
    answers: { found: Readiness, unready: Readiness },
    handle: async ({ signal }) => {
      const reasons = [...whyNotDeciding(world), ...(await whyNoLedger(world, signal))];
      const ready = reasons.length === 0;
      return { kind: ready ? 'found' : 'unready', body: { ready, reasons } };
    },
  });
}

function whyNotDeciding({ epoch, state, repository, branch }: ServerWorld): string[] {
  const reasons = epoch() === null ? ['another controller leads, or the lease could not be renewed'] : [];
  if (state.head !== null) return reasons;
  const { failure } = repository.contact();
  if (failure) return [...reasons, `the repository can't be reached: ${failure.message}`];
  const isEmpty = repository.latest()?.head === null;
  return [...reasons, isEmpty ? `branch ${branch} has no commit yet` : 'no commit has been acted on yet'];
}

async function whyNoLedger({ ledger, clock }: ServerWorld, signal: AbortSignal): Promise<string[]> {
  return within(clock, LEDGER_PATIENCE_MS, signal, async over => {
    const look = ledger.events({ limit: 1 }).then(
      () => [],
      error => [messageOf(error)],
    );
    return Promise.race([look, aborted(over).then(() => ['the ledger does not answer'])]);
  });
}

export function metrics({ metrics: registry }: ServerWorld): Endpoint {
  return endpoint({
    summary: 'What the controller measures, for Prometheus',
    answers: { text: null },
    handle: async () => ({ kind: 'text', body: await registry.metrics(), type: registry.contentType }),
  });
}

export function description(describe: () => unknown): Endpoint {
  return endpoint({
    summary: 'This description',
    answers: { found: z.record(z.string(), z.unknown()) },
    handle: () => ({ kind: 'found', body: describe() }),
  });
}
