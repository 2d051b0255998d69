import { messageOf } from '../error.ts';
import { type OtlpSettings, parseOtlpSettings } from './otlp/settings.ts';
import type { Redaction } from './payload-log/entry.ts';
import type { Rotation } from './payload-log/files.ts';
import { type Environment, parseShare } from './settings-values.ts';

export interface TelemetrySettings {
  /** Null: no lines at all. */
  requestLog: { share: number; linesPerSecond: number } | null;
  /** Null: nothing is kept of what was asked. */
  payloads: { share: number; redaction: Redaction; rotation: Rotation } | null;
  /** Null: nothing is sent. */
  otlp: OtlpSettings | null;
  /** Why nothing is sent although somebody asked for it; null: there is no such reason. */
  otlpRefusal: string | null;
}

const LINES_PER_SECOND = 100;
const ROTATION = { bytes: 64 * 2 ** 20, files: 8 };

/**
 * From environment variables: those of OpenTelemetry where it has any, else SWITCHBACK_*. Throws E_CONFIG for ours. Those
 * of OpenTelemetry are often meant for others, too: what can not be done of them is told, and takes nobody's answers away.
 */
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
    ...parseOtlp(env),
  };
}

function parseOtlp(env: Environment): Pick<TelemetrySettings, 'otlp' | 'otlpRefusal'> {
  try {
    return { otlp: parseOtlpSettings(env), otlpRefusal: null };
  } catch (error) {
    return { otlp: null, otlpRefusal: messageOf(error) };
  }
}

/** `all`, or names of tensors with commas between. */
function parseRedaction(text: string): Redaction {
  if (text.trim() === 'all') return 'all';
  const names = text.split(',').map(name => name.trim());
  return new Set(names.filter(name => name !== ''));
}
