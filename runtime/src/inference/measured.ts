import type { Clock } from '../clock.ts';
import { asSwitchbackError } from '../error.ts';
import type { Served } from '../telemetry/served.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { InferenceCall } from './call.ts';
import type { Inference } from './inference.ts';
import { journeyOf } from './journey.ts';
import type { InferenceOutcome } from './outcome.ts';

/** The same service, telling of each request once when it is over. */
export function measured(
  inner: Inference,
  { telemetry, clock }: { telemetry: Pick<Telemetry, 'served'>; clock: Clock },
): Inference {
  return {
    ...inner,
    infer(call) {
      const journey = journeyOf(call);
      const outcome = inner.infer(call, journey);
      if (!(outcome instanceof Promise)) return tell(call, outcome);
      return outcome.then(
        settled => tell(call, settled),
        (thrown: unknown) => {
          // A request that was none: it came to no backend.
          tell(call, { kind: 'failed', backend: null, journey, error: asSwitchbackError(thrown) });
          throw thrown;
        },
      );
    },
  };

  function tell(call: InferenceCall, outcome: InferenceOutcome): InferenceOutcome {
    telemetry.served(recordOf(call, outcome, clock.elapsed()), call.message);
    return outcome;
  }
}

function recordOf(call: InferenceCall, outcome: InferenceOutcome, now: number): Served {
  const { backend, journey } = outcome;
  const { id, commit, by, from, rows, batchRows, batch, attempts, failed, stages } = journey;
  return {
    model: call.model,
    id,
    commit,
    backend,
    protocol: call.protocol.name,
    by,
    code: outcome.kind === 'answered' ? null : outcome.error.code,
    from,
    rows,
    batchRows,
    batch,
    attempts,
    failed,
    stages,
    totalMs: now - call.arrivedAt,
    bytesIn: call.message.body.length,
    bytesOut: outcome.kind === 'failed' ? 0 : outcome.reply.body.length,
  };
}
