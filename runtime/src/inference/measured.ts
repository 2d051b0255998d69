import type { Clock } from '../clock.ts';
import { asSwitchbackError, type SwitchbackError } from '../error.ts';
import type { Served } from '../telemetry/served.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { InferenceCall } from './call.ts';
import type { Inference } from './inference.ts';
import { Journey } from './journey.ts';
import type { InferenceOutcome } from './outcome.ts';

/** The same service, telling of each request once when it is over. */
export function measured(
  inner: Inference,
  { telemetry, clock }: { telemetry: Pick<Telemetry, 'served'>; clock: Clock },
): Inference {
  return {
    ...inner,
    infer(call) {
      const over = (outcome: InferenceOutcome): InferenceOutcome => {
        telemetry.served(recordOf(call, outcome, clock.elapsed()), call.message);
        return outcome;
      };
      const failed = (thrown: unknown): never => {
        telemetry.served(refusedRecord(call, asSwitchbackError(thrown), clock.elapsed()), call.message);
        throw thrown;
      };
      const outcome = inner.infer(call);
      return outcome instanceof Promise ? outcome.then(over, failed) : over(outcome);
    },
  };
}

function recordOf(call: InferenceCall, outcome: InferenceOutcome, now: number): Served {
  const { backend, journey } = outcome;
  const { by, from, rows, batchRows, batch, attempts, stages } = journey;
  return {
    model: call.model,
    backend,
    protocol: call.protocol.name,
    by,
    code: outcome.kind === 'answered' ? null : outcome.error.code,
    from,
    rows,
    batchRows,
    batch,
    attempts,
    stages,
    totalMs: now - call.arrivedAt,
    bytesIn: call.message.body.length,
    bytesOut: outcome.kind === 'failed' ? 0 : outcome.reply.body.length,
  };
}

/** Of a request that was none: it came to no backend. */
function refusedRecord(call: InferenceCall, error: SwitchbackError, now: number): Served {
  const journey = new Journey(call.version === null ? 'weight' : 'version');
  return recordOf(call, { kind: 'failed', backend: null, journey, error }, now);
}
