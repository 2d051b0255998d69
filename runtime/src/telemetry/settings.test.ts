import { describe, expect, test } from 'vitest';
import { parseTelemetrySettings } from './settings.ts';

test('with nothing said, a hundredth of the requests get a line, and nothing is kept or sent', () => {
  expect(parseTelemetrySettings({})).toEqual({
    requestLog: { share: 0.01, linesPerSecond: 100 },
    payloads: null,
    otlp: null,
    otlpRefusal: null,
  });
});

test('everything can be switched, sampled and redacted', () => {
  const settings = parseTelemetrySettings({
    SWITCHBACK_REQUEST_LOG: 'off',
    SWITCHBACK_PAYLOADS: '0.05',
    SWITCHBACK_PAYLOADS_REDACT: 'card, name ,',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318/',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20x=y, x-team=a',
    OTEL_TRACES_SAMPLER_ARG: '1',
    OTEL_METRIC_EXPORT_INTERVAL: '5000',
  });

  const headers = { authorization: 'Bearer x=y', 'x-team': 'a' };
  expect(settings).toEqual({
    requestLog: null,
    payloads: {
      share: 0.05,
      redaction: new Set(['card', 'name']),
      rotation: { bytes: 64 * 2 ** 20, files: 8 },
    },
    otlp: {
      traces: { url: 'http://127.0.0.1:4318/v1/traces', headers, share: 1 },
      metrics: { url: 'http://127.0.0.1:4318/v1/metrics', headers, everyMs: 5000 },
      resource: { 'service.name': 'switchback-runtime' },
      unheeded: [],
    },
    otlpRefusal: null,
  });
  expect(
    parseTelemetrySettings({ SWITCHBACK_PAYLOADS: '1', SWITCHBACK_PAYLOADS_REDACT: 'all' }).payloads
      ?.redaction,
  ).toBe('all');
});

test('what can not be done of OpenTelemetry is told by name, and takes nothing else away', () => {
  const { otlp, otlpRefusal, requestLog } = parseTelemetrySettings({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4317',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
  });

  expect(otlp).toBeNull();
  expect(otlpRefusal).toMatch(/^OTEL_EXPORTER_OTLP_PROTOCOL must be http\/json/);
  expect(requestLog).not.toBeNull();
});

describe('refused, by the name of the variable, is', () => {
  test.each<[string, Record<string, string>]>([
    ['SWITCHBACK_REQUEST_LOG', { SWITCHBACK_REQUEST_LOG: '2' }],
    ['SWITCHBACK_PAYLOADS', { SWITCHBACK_PAYLOADS: '5%' }],
  ])('%s of %j', (name, env) => {
    const refusal = (() => {
      try {
        parseTelemetrySettings(env);
      } catch (error) {
        return error as Error;
      }
      throw new Error('it was taken');
    })();

    expect(refusal).toMatchObject({ code: 'E_CONFIG' });
    expect(refusal.message).toContain(name);
    expect(refusal.message).not.toContain('S3CRET');
  });
});
