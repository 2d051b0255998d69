import { describe, expect, test } from 'vitest';
import { parseOtlpSettings } from './settings.ts';

const COLLECTOR = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };
const parse = (env: Record<string, string>) => parseOtlpSettings({ ...COLLECTOR, ...env });

test('an address for all is a base, below which each signal has its place', () => {
  const settings = parse({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/team/' });

  expect(settings?.traces?.url).toBe('http://collector:4318/team/v1/traces');
  expect(settings?.metrics?.url).toBe('http://collector:4318/team/v1/metrics');
});

test('what is said of one signal goes before what is said of all, and its address is taken as it is', () => {
  const settings = parse({
    OTEL_EXPORTER_OTLP_HEADERS: 'team=all',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces/in?tenant=a',
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'team=b%2Cc',
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://metrics',
  });

  expect(settings?.traces).toMatchObject({ url: 'https://traces/in?tenant=a', headers: { team: 'b,c' } });
  expect(settings?.metrics).toMatchObject({ url: 'http://metrics/', headers: { team: 'all' } });
});

test('an address for one signal alone has the other not sent', () => {
  const traces = parseOtlpSettings({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://traces/v1' });
  const metrics = parseOtlpSettings({ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://metrics/v1' });

  expect(traces).toMatchObject({ traces: { url: 'http://traces/v1' }, metrics: null });
  expect(metrics).toMatchObject({ traces: null, metrics: { url: 'http://metrics/v1' } });
});

describe('nothing is sent', () => {
  test.each([
    ['of anything where it is switched off', { OTEL_SDK_DISABLED: 'TRUE' }],
    [
      'of anything where no exporter is wanted',
      { OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none' },
    ],
    ['of anything where the address is empty', { OTEL_EXPORTER_OTLP_ENDPOINT: '' }],
  ])('%s', (_, env) => {
    expect(parse(env as Record<string, string>)).toBeNull();
  });

  test('in a protocol that we do not speak, and none is refused, where no collector is named', () => {
    expect(parseOtlpSettings({ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' })).toBeNull();
  });

  test('of traces where nobody samples them, and of metrics all the same', () => {
    expect(parse({ OTEL_TRACES_SAMPLER: 'always_off' })).toMatchObject({
      traces: null,
      metrics: { everyMs: 60_000 },
    });
  });
});

test.each([
  ['nobody names a sampler', {}, 0.01],
  ['only the share is said', { OTEL_TRACES_SAMPLER_ARG: '0.5' }, 0.5],
  [
    'it goes by share',
    { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.2' },
    0.2,
  ],
  ['it goes by a share that nobody says', { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio' }, 1],
  ['all are wanted', { OTEL_TRACES_SAMPLER: 'parentbased_always_on', OTEL_TRACES_SAMPLER_ARG: '0.2' }, 1],
  ['only what callers record is wanted', { OTEL_TRACES_SAMPLER: 'parentbased_always_off' }, 0],
])('of requests without a trace the right share is recorded where %s', (_, env, share) => {
  expect(parse(env as Record<string, string>)?.traces?.share).toBe(share);
});

test('the resource holds what the operator says of it, and the name of the service before all', () => {
  const OTEL_RESOURCE_ATTRIBUTES = 'service.name=one, team=a%20b%3D%2C , host.name=x=y';

  expect(parse({ OTEL_RESOURCE_ATTRIBUTES })?.resource).toEqual({
    'service.name': 'one',
    team: 'a b=,',
    'host.name': 'x=y',
  });
  expect(parse({ OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME: 'two' })?.resource['service.name']).toBe('two');
  expect(parse({})?.resource).toEqual({ 'service.name': 'switchback-runtime' });
});

test('what is set and changes nothing is named', () => {
  const env = {
    OTEL_SDK_DISABLED: '1',
    OTEL_EXPORTER_OTLP_TIMEOUT: '5',
    OTEL_BSP_SCHEDULE_DELAY: '1',
    PATH: 'x',
  };

  expect(parse(env)?.unheeded).toEqual([
    'OTEL_BSP_SCHEDULE_DELAY',
    'OTEL_EXPORTER_OTLP_TIMEOUT',
    'OTEL_SDK_DISABLED',
  ]);
  expect(parse({ OTEL_SDK_DISABLED: 'False', OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' })?.unheeded).toEqual(
    [],
  );
});

describe('refused, by the name of the variable, is', () => {
  test.each<[string, Record<string, string>]>([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', { OTEL_EXPORTER_OTLP_ENDPOINT: 'grpc://collector' }],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://me:S3CRET@collector' }],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://:S3CRET@collector' }],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector/?key=S3CRET' }],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'collector:4317' }],
    ['OTEL_EXPORTER_OTLP_METRICS_ENDPOINT', { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://x/#S3CRET' }],
    ['OTEL_EXPORTER_OTLP_HEADERS', { OTEL_EXPORTER_OTLP_HEADERS: 'S3CRET' }],
    ['OTEL_EXPORTER_OTLP_HEADERS', { OTEL_EXPORTER_OTLP_HEADERS: 'a=S3CRET%' }],
    ['OTEL_EXPORTER_OTLP_HEADERS', { OTEL_EXPORTER_OTLP_HEADERS: 'a=S3CRET%0A' }],
    ['OTEL_EXPORTER_OTLP_HEADERS', { OTEL_EXPORTER_OTLP_HEADERS: 'a b=S3CRET' }],
    ['OTEL_EXPORTER_OTLP_TRACES_HEADERS', { OTEL_EXPORTER_OTLP_TRACES_HEADERS: '=S3CRET' }],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' }],
    ['OTEL_EXPORTER_OTLP_METRICS_PROTOCOL', { OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'grpc' }],
    ['OTEL_METRICS_EXPORTER', { OTEL_METRICS_EXPORTER: 'prometheus' }],
    ['OTEL_TRACES_SAMPLER', { OTEL_TRACES_SAMPLER: 'always_on' }],
    ['OTEL_TRACES_SAMPLER', { OTEL_TRACES_SAMPLER: 'parentbased_jaeger_remote' }],
    ['OTEL_TRACES_SAMPLER_ARG', { OTEL_TRACES_SAMPLER_ARG: '-1' }],
    ['OTEL_METRIC_EXPORT_INTERVAL', { OTEL_METRIC_EXPORT_INTERVAL: '10' }],
    ['OTEL_RESOURCE_ATTRIBUTES', { OTEL_RESOURCE_ATTRIBUTES: 'team' }],
    ['OTEL_RESOURCE_ATTRIBUTES', { OTEL_RESOURCE_ATTRIBUTES: 'team=100%' }],
  ])('%s of %j', (name, env) => {
    const refusal = (() => {
      try {
        parse(env);
      } catch (error) {
        return error as Error;
      }
      throw new Error('it was taken');
    })();

    expect(refusal).toMatchObject({ code: 'E_CONFIG', details: { variable: name } });
    expect(refusal.message).toContain(name);
    expect(refusal.message).not.toContain('S3CRET');
  });
});
