import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { type AsyncLog, type Log, makeAsyncLog } from '../log.ts';
import { BUILD } from './build.ts';
import type { Metrics } from './metrics.ts';
import { otlpMetrics, otlpSpans } from './otlp/index.ts';
import { openPayloadLog, type PayloadLog } from './payload-log/payload-log.ts';
import { RequestLog } from './request-log.ts';
import type { Carrier, Served } from './served.ts';
import type { TelemetrySettings } from './settings.ts';
import { RequestTraces } from './trace/requests.ts';

/** Lines of requests that may wait for whoever reads our output. */
const LOG_BYTES = 1 << 20;
const STDOUT = 1;

export interface TelemetryOptions {
  metrics: Metrics;
  settings: TelemetrySettings;
  /** Payloads go into a folder of it. */
  stateDir: string;
  /** Of this life of this process, as collectors tell one from another. */
  instanceId: string;
  environment: string;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  log: Log;
}

/** Everything that is told of requests when they are over. */
export interface Telemetry extends AsyncDisposable {
  /** Of every request once, when its answer is on its way. Never waits, never throws. */
  served(record: Served, carrier: Carrier): void;
  /** Null: nothing is kept of what was asked. */
  readonly payloads: PayloadLog | null;
  /** Records that could not be kept so far, by what they were for. */
  dropped(): Record<string, number>;
}

export async function openTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  await using opened = new AsyncDisposableStack();
  const { metrics } = options;
  const payloads = await openPayloads(options, opened);
  const requestLog = openRequestLog(options, opened);
  const traces = openOtlp(options, opened);
  const parts = opened.move();
  return {
    payloads,
    served(record, carrier) {
      metrics.served(record);
      if (requestLog !== null) requestLog.served(record, carrier);
      if (traces !== null) traces.served(record, carrier);
    },
    dropped: () => ({
      ...(requestLog !== null && { 'request-log': requestLog.dropped }),
      ...(payloads !== null && { payload: payloads.dropped }),
      ...(traces !== null && { span: traces.dropped }),
    }),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

async function openPayloads(
  options: TelemetryOptions,
  opened: AsyncDisposableStack,
): Promise<PayloadLog | null> {
  const { settings, stateDir, clock, random, log } = options;
  if (settings.payloads === null) return null;
  const folder = join(stateDir, 'payloads');
  return opened.use(await openPayloadLog({ ...settings.payloads, folder, clock, random, log }));
}

function openRequestLog(options: TelemetryOptions, opened: AsyncDisposableStack): RequestLog | null {
  const { settings, clock, random } = options;
  if (settings.requestLog === null) return null;
  const fields = { component: 'requests', pid: process.pid };
  const log: AsyncLog = opened.use(makeAsyncLog(fields, { dest: STDOUT, mostBytes: LOG_BYTES }));
  return new RequestLog({ ...settings.requestLog, log, clock, random });
}

function openOtlp(options: TelemetryOptions, opened: AsyncDisposableStack): RequestTraces | null {
  const { settings, metrics, clock, random, log, environment, instanceId } = options;
  if (settings.otlpRefusal !== null)
    log.error(
      { reason: settings.otlpRefusal },
      'nothing is sent to a collector, its settings can not be used',
    );
  if (settings.otlp === null) return null;
  const { unheeded, traces, metrics: scrapes } = settings.otlp;
  if (unheeded.length > 0)
    log.warn({ variables: unheeded }, 'variables of OpenTelemetry are set that change nothing here');
  // What tells this process from others can't be what an operator says to all of them.
  const resource = {
    ...settings.otlp.resource,
    'service.version': BUILD.version,
    'service.instance.id': instanceId,
    'deployment.environment.name': environment,
  };
  const sending = { resource, version: BUILD.version, clock, random, log };
  if (scrapes !== null)
    opened.use(otlpMetrics({ ...sending, collector: scrapes, metrics, everyMs: scrapes.everyMs }));
  if (traces === null) return null;
  const sink = opened.use(otlpSpans({ ...sending, collector: traces }));
  const soon = (flush: () => void) => void setImmediate(flush);
  return opened.use(new RequestTraces({ sink, share: traces.share, random, now: preciseNow, soon }));
}

/** Milliseconds since 1970, with fractions. */
function preciseNow(): number {
  return performance.timeOrigin + performance.now();
}
