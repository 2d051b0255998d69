import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { silentLog } from '../log.ts';
import { makeMetrics } from './metrics.ts';
import { startCollector } from './otlp/collector.fixture.ts';
import { predictionIds } from './prediction-id.ts';
import { carrying, REVISION, served } from './served.fixture.ts';
import { parseTelemetrySettings } from './settings.ts';
import { openTelemetry, type Telemetry } from './telemetry.ts';

async function open(env: Record<string, string>) {
  const stateDir = await mkdtemp(join(tmpdir(), 'switchback-telemetry-'));
  onTestFinished(() => rm(stateDir, { recursive: true, force: true }));
  let telemetry: Telemetry | undefined;
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
    log: silentLog,
  });
  return { telemetry, metrics, stateDir };
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

test('with nothing asked for, nothing is kept but the numbers', async () => {
  const { telemetry, metrics, stateDir } = await open({});

  telemetry.served(served(), carrying());
  await telemetry[Symbol.asyncDispose]();

  expect(telemetry.payloads).toBeNull();
  expect(telemetry.dropped()).toEqual({});
  expect(await readdir(stateDir)).toEqual([]);
  expect(metrics.stats('fraud', '1').inference_count).toBe(1);
});
