import { type Environment, parseShare, refused } from '../settings-values.ts';
import { parseHeaders, parseResource } from './pairs.ts';
import type { Collector } from './post.ts';

export interface OtlpSettings {
  /** Null: no spans are made. `share`: of the requests whose caller says nothing of a trace. */
  traces: (Collector & { share: number }) | null;
  /** Null: none are sent. */
  metrics: (Collector & { everyMs: number }) | null;
  /** As the operator has it; `service.name` is always there. */
  resource: Readonly<Record<string, string>>;
  /** Names of variables of OpenTelemetry that are set and change nothing here. */
  unheeded: readonly string[];
}

type Signal = 'TRACES' | 'METRICS';

const SERVICE_NAME = 'switchback-runtime';
/** Where nobody names a sampler; OpenTelemetry would record everything. */
const SHARE = '0.01';
const EVERY_MS = '60000';

/** That are looked at below; per signal as well where OpenTelemetry has it so. */
const HEEDED = new Set([
  'OTEL_SDK_DISABLED',
  'OTEL_SERVICE_NAME',
  'OTEL_RESOURCE_ATTRIBUTES',
  'OTEL_TRACES_EXPORTER',
  'OTEL_METRICS_EXPORTER',
  'OTEL_TRACES_SAMPLER',
  'OTEL_TRACES_SAMPLER_ARG',
  'OTEL_METRIC_EXPORT_INTERVAL',
  ...['', 'TRACES_', 'METRICS_'].flatMap(signal =>
    ['ENDPOINT', 'HEADERS', 'PROTOCOL'].map(what => `OTEL_EXPORTER_OTLP_${signal}${what}`),
  ),
]);

/**
 * The variables that OpenTelemetry specifies, as it specifies them; null: nothing is to be sent. Throws E_CONFIG for
 * what we can't do: whoever asked for that would wait for it in vain.
 */
export function parseOtlpSettings(env: Environment): OtlpSettings | null {
  if (saidIn(env, 'OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return null;
  const traces = parseTraces(env);
  const metrics = parseMetrics(env);
  if (traces === null && metrics === null) return null;
  const resource = parseResource(saidIn(env, 'OTEL_RESOURCE_ATTRIBUTES') ?? '');
  const serviceName = saidIn(env, 'OTEL_SERVICE_NAME') ?? resource['service.name'] ?? SERVICE_NAME;
  return {
    traces,
    metrics,
    resource: { ...resource, 'service.name': serviceName },
    unheeded: unheededOf(env),
  };
}

function parseTraces(env: Environment): OtlpSettings['traces'] {
  const collector = parseCollector(env, 'TRACES');
  if (collector === null) return null;
  const share = parseSampler(env);
  return share === null ? null : { ...collector, share };
}

function parseMetrics(env: Environment): OtlpSettings['metrics'] {
  const collector = parseCollector(env, 'METRICS');
  return collector && { ...collector, everyMs: parseInterval(env) };
}

/** Null: nobody is told of this signal. */
function parseCollector(env: Environment, signal: Signal): Collector | null {
  const url = parseUrl(env, signal);
  if (url === null || !isExported(env, signal)) return null;
  refuseOtherProtocols(env, signal);
  const name = ofSignal(env, signal, 'HEADERS');
  return { url, headers: parseHeaders(name, saidIn(env, name) ?? '') };
}

/** A signal's own address is taken as it is; the one for all is a base, below which each signal has its place. */
function parseUrl(env: Environment, signal: Signal): string | null {
  const name = ofSignal(env, signal, 'ENDPOINT');
  const text = saidIn(env, name);
  if (text === undefined) return null;
  const isBase = name === 'OTEL_EXPORTER_OTLP_ENDPOINT';
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username || url.password || url.hash)
    throw refused(name, 'must be an http or https URL without credentials');
  if (!isBase) return url.href;
  if (url.search) throw refused(name, 'must have no query; an address for one signal alone may');
  return `${url.href.replace(/\/+$/, '')}/v1/${signal.toLowerCase()}`;
}

function isExported(env: Environment, signal: Signal): boolean {
  const name = `OTEL_${signal}_EXPORTER`;
  const exporter = saidIn(env, name) ?? 'otlp';
  if (exporter !== 'otlp' && exporter !== 'none')
    throw refused(name, 'must be otlp or none: metrics can be scraped at /metrics whatever it says');
  return exporter === 'otlp';
}

function refuseOtherProtocols(env: Environment, signal: Signal): void {
  const name = ofSignal(env, signal, 'PROTOCOL');
  if ((saidIn(env, name) ?? 'http/json') === 'http/json') return;
  const what = 'must be http/json, the one protocol that a runtime speaks';
  throw refused(name, `${what}: write that, with the address of the collector's HTTP port (usually 4318)`);
}

/** The share; null: nothing at all, whatever a caller says. */
function parseSampler(env: Environment): number | null {
  const argument = saidIn(env, 'OTEL_TRACES_SAMPLER_ARG');
  const ratio = (fallback: string): number => parseShare('OTEL_TRACES_SAMPLER_ARG', argument ?? fallback);
  switch (saidIn(env, 'OTEL_TRACES_SAMPLER')) {
    case undefined:
      return ratio(SHARE);
    case 'parentbased_traceidratio':
      return ratio('1');
    case 'parentbased_always_on':
      return 1;
    case 'parentbased_always_off':
      return 0;
    case 'always_off':
      return null;
    default:
      throw refused(
        'OTEL_TRACES_SAMPLER',
        "must be parentbased_traceidratio (with OTEL_TRACES_SAMPLER_ARG), parentbased_always_on, parentbased_always_off or always_off: a runtime keeps to its caller's choice",
      );
  }
}

function parseInterval(env: Environment): number {
  const text = saidIn(env, 'OTEL_METRIC_EXPORT_INTERVAL') ?? EVERY_MS;
  const ms = Number(text);
  if (/^\d{1,9}$/.test(text) && ms >= 1000) return ms;
  throw refused('OTEL_METRIC_EXPORT_INTERVAL', 'must be a number of milliseconds, 1000 at least');
}

/** The name of the variable that holds for a signal: its own where it has one. */
function ofSignal(env: Environment, signal: Signal, what: 'ENDPOINT' | 'HEADERS' | 'PROTOCOL'): string {
  const own = `OTEL_EXPORTER_OTLP_${signal}_${what}`;
  return saidIn(env, own) === undefined ? `OTEL_EXPORTER_OTLP_${what}` : own;
}

/** A variable that is empty counts as none. */
function saidIn(env: Environment, name: string): string | undefined {
  return env[name]?.trim() || undefined;
}

function unheededOf(env: Environment): string[] {
  const names = Object.keys(env).filter(name => name.startsWith('OTEL_') && !HEEDED.has(name));
  // "false" is all that it can still say here, in any other word too.
  const disabled = saidIn(env, 'OTEL_SDK_DISABLED')?.toLowerCase() ?? 'false';
  return [...names, ...(disabled === 'false' ? [] : ['OTEL_SDK_DISABLED'])].sort();
}
