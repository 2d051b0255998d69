import { SwitchbackError } from '../error.ts';
import type { Redaction } from './payload-log/entry.ts';
import type { Rotation } from './payload-log/files.ts';

export interface TelemetrySettings {
  /** Null: no lines at all. */
  requestLog: { share: number; linesPerSecond: number } | null;
  /** Null: nothing is kept of what was asked. */
  payloads: { share: number; redaction: Redaction; rotation: Rotation } | null;
  /** Null: nothing is sent. */
  otlp: {
    endpoint: string;
    headers: Readonly<Record<string, string>>;
    serviceName: string;
    /** Of the requests whose caller says nothing of a trace. */
    traceShare: number;
    metricsEveryMs: number;
  } | null;
}

type Environment = Readonly<Record<string, string | undefined>>;

const LINES_PER_SECOND = 100;
const ROTATION = { bytes: 64 * 2 ** 20, files: 8 };

/** From environment variables: those of OpenTelemetry where it has any, else SWITCHBACK_*. Throws E_CONFIG. */
export function parseTelemetrySettings(env: Environment): TelemetrySettings {
  const requestLog = env['SWITCHBACK_REQUEST_LOG'] ?? '0.01';
  const payloads = env['SWITCHBACK_PAYLOADS'] ?? 'off';
  return {
    requestLog:
      requestLog === 'off'
        ? null
        : { share: parseShare('SWITCHBACK_REQUEST_LOG', requestLog), linesPerSecond: LINES_PER_SECOND },
    payloads:
      payloads === 'off'
        ? null
        : {
            share: parseShare('SWITCHBACK_PAYLOADS', payloads),
            redaction: parseRedaction(env['SWITCHBACK_PAYLOADS_REDACT'] ?? ''),
            rotation: ROTATION,
          },
    otlp: parseOtlp(env),
  };
}

function parseOtlp(env: Environment): TelemetrySettings['otlp'] {
  const endpoint = env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  if (!endpoint) return null;
  return {
    endpoint: parseEndpoint(endpoint),
    headers: parseHeaders(env['OTEL_EXPORTER_OTLP_HEADERS'] ?? ''),
    serviceName: env['OTEL_SERVICE_NAME'] || 'switchback-runtime',
    traceShare: parseShare('OTEL_TRACES_SAMPLER_ARG', env['OTEL_TRACES_SAMPLER_ARG'] ?? '0.01'),
    metricsEveryMs: parseInterval(env['OTEL_METRIC_EXPORT_INTERVAL'] ?? '60000'),
  };
}

function parseShare(name: string, text: string): number {
  const share = Number(text);
  if (/^[0-9.]{1,20}$/.test(text) && share >= 0 && share <= 1) return share;
  throw refused(name, 'must be a share from 0 to 1, such as 0.01');
}

function parseInterval(text: string): number {
  const ms = Number(text);
  if (/^\d{1,9}$/.test(text) && ms >= 1000) return ms;
  throw refused('OTEL_METRIC_EXPORT_INTERVAL', 'must be a number of milliseconds, 1000 at least');
}

function parseEndpoint(text: string): string {
  const url = URL.parse(text);
  const isPlain = url !== null && /^https?:$/.test(url.protocol) && !url.username && !url.search && !url.hash;
  if (isPlain) return url.href.replace(/\/+$/, '');
  throw refused('OTEL_EXPORTER_OTLP_ENDPOINT', 'must be an http or https URL without credentials or query');
}

/** `name=value` pairs with commas between; values may be percent-encoded. Never quoted in a message. */
function parseHeaders(text: string): Record<string, string> {
  const pairs = text.split(',').filter(pair => pair.trim() !== '');
  return Object.fromEntries(
    pairs.map(pair => {
      const [name = '', ...value] = pair.split('=');
      if (!/^[-!#$%&'*+.^_`|~0-9A-Za-z]+$/.test(name.trim()) || value.length === 0)
        throw refused('OTEL_EXPORTER_OTLP_HEADERS', 'must be name=value pairs with commas between them');
      return [name.trim(), decoded(value.join('=').trim())];
    }),
  );
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw refused('OTEL_EXPORTER_OTLP_HEADERS', 'holds a value that is not percent-encoded as it should be');
  }
}

/** `all`, or names of tensors with commas between. */
function parseRedaction(text: string): Redaction {
  if (text.trim() === 'all') return 'all';
  const names = text.split(',').map(name => name.trim());
  return new Set(names.filter(name => name !== ''));
}

function refused(name: string, why: string): SwitchbackError {
  return new SwitchbackError('E_CONFIG', `${name} ${why}.`, { details: { variable: name } });
}
