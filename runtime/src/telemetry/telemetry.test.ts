import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { type Log, silentLog } from '../log.ts';
import { makeMetrics } from './metrics.ts';
import { startCollector } from './otlp/collector.fixture.ts';
import { predictionIds } from './prediction-id.ts';
import { COMMIT, carrying, REVISION, served } from './served.fixture.ts';
import { parseTelemetrySettings } from './settings.ts';
import { openTelemetry, type Telemetry } from './telemetry.ts';

async function open(env: Record<string, string>) {
  const stateDir = await mkdtemp(join(tmpdir(), 'switchback-telemetry-'));
  onTestFinished(() => rm(stateDir, { recursive: true, force: true }));
  let telemetry: Telemetry | undefined;
  const told: unknown[][] = [];
  const metrics = makeMetrics({
    running: () => [],
    countEngines: () => 1,
    dropped: () => telemetry?.dropped() ?? {},
  });
  telemetry = await openTelemetry({
    metrics,
    settings: parseTelemetrySettings({ SWITCHBACK_REQUEST_LOG: 'off', ...env }),
    stateDir,
    instanceId: 'i1',
    environment: 'prod',
    clock: systemClock,
    random: () => 0,
    log: { ...silentLog, warn: (...line: unknown[]) => void told.push(line) } as Log,
  });
  return { telemetry, metrics, stateDir, told };
}

test('one request is told to everybody who wants to know, and all is out when it is closed', async () => {
  const collector = await startCollector();
  const { telemetry, metrics, stateDir } = await open({
    SWITCHBACK_PAYLOADS: '1',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    OTEL_TRACES_SAMPLER_ARG: '1',
  });

  telemetry.served(served(), carrying());
  expect(telemetry.payloads?.picks()).toBe(true);
  telemetry.payloads?.offer({
    predictionId: predictionIds()(REVISION),
    id: null,
    code: null,
    commit: COMMIT,
    model: 'fraud',
    version: '1',
    revision: REVISION,
    inputs: new Map(),
    outputs: new Map(),
  });
  await telemetry[Symbol.asyncDispose]();

  expect(collector.exports.map(({ path }) => path).toSorted()).toEqual(['/v1/metrics', '/v1/traces']);
  expect(await readdir(join(stateDir, 'payloads'))).toHaveLength(1);
  const text = await metrics.print();
  expect(text).toContain(
    'switchback_requests_total{model="fraud",version="1",protocol="v2",outcome="answered"} 1',
  );
  for (const record of ['payload', 'span'])
    expect(text).toContain(`switchback_telemetry_dropped_total{record="${record}"} 0`);
});

test('what is sent names the service as its operator does, and the process as only it can', async () => {
  const collector = await startCollector();
  const { telemetry, told } = await open({
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${collector.endpoint}/in`,
    OTEL_RESOURCE_ATTRIBUTES: 'team=risk,service.name=scores,service.instance.id=all',
    OTEL_EXPORTER_OTLP_TIMEOUT: '5',
  });

  telemetry.served(served(), carrying());
  await telemetry[Symbol.asyncDispose]();

  expect(collector.exports.map(({ path }) => path)).toEqual(['/in']);
  const { attributes } = collector.exports[0]!.body.resourceMetrics[0].resource;
  const named = Object.fromEntries(
    attributes.map(({ key, value }: { key: string; value: { stringValue: string } }) => [
      key,
      value.stringValue,
    ]),
  );
  expect(named).toMatchObject({
    team: 'risk',
    'service.name': 'scores',
    'service.instance.id': 'i1',
    'deployment.environment.name': 'prod',
  });
  expect(told).toEqual([
    [
      { variables: ['OTEL_EXPORTER_OTLP_TIMEOUT'] },
      'variables of OpenTelemetry are set that change nothing here',
    ],
  ]);
});

test('with nothing asked for, nothing is kept but the numbers', async () => {
  const { telemetry, metrics, stateDir } = await open({});

  telemetry.served(served(), carrying());
  await telemetry[Symbol.asyncDispose]();

  expect(telemetry.payloads).toBeNull();
  expect(telemetry.dropped()).toEqual({});
  expect(await readdir(stateDir)).toEqual([]);
  expect(metrics.stats('fraud', '1').inference_count).toBe(1);
});
