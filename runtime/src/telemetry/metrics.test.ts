import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { METRICS } from '@switchback-ml/schemas';
import { describe, expect, test } from 'vitest';
import { steppedClock } from '../clock.fixture.ts';
import { cacheReport } from './cache-report.fixture.ts';
import { Histogram } from './histogram.ts';
import { type Metrics, makeMetrics } from './metrics.ts';
import type { Running } from './running.ts';
import { backend, REVISION, served } from './served.fixture.ts';

const REFERENCE = new URL('../../../docs/reference/metrics.md', import.meta.url);

const RUNNING: Running = {
  model: 'fraud',
  version: '1',
  revision: REVISION,
  pids: [process.pid],
  queue: {
    waitingRequests: 2,
    waitingRows: 9,
    drainPerSecond: 1500,
    cost: { fixedMs: 0.25, perRowMs: 0.125 },
    linger: { ms: 1.5, why: 'gain' },
  },
  state: 'ready',
  memoryBytes: 2 ** 26,
  room: {
    budgetBytes: 2 ** 30,
    heldBytes: 2 ** 27,
    evictions: 1,
    wakeSeconds: new Histogram(Float64Array.of(1)),
    turnedAway: 2,
  },
};

function make(running: readonly Running[] = [RUNNING], mostVersions?: number) {
  const clock = steppedClock();
  const metrics = makeMetrics({
    countEngines: () => 1,
    running: () => running,
    cache: () => cacheReport(),
    isModel: model => model === 'fraud',
    dropped: () => ({ payload: 3 }),
    clock,
    ...(mostVersions !== undefined && { mostVersions }),
  });
  return { clock, metrics };
}

/** Something of everything. */
function use(metrics: Metrics): void {
  const cached = backend('1', { cache: { forMs: 1, bytes: 1 } });
  metrics.served(served({ backend: cached }));
  metrics.served(served({ backend: cached, from: 'redis' }));
  metrics.served(served({ code: 'E_ENGINE_DIED', attempts: 2, protocol: 'v2-grpc' }));
  metrics.served(served({ model: 'no"such\n\\', backend: null, code: 'E_MODEL_UNKNOWN' }));
  metrics.attempt('fraud', '1', 'answered', 0.004);
  metrics.attempt('fraud', '1', 'failed', 0.004);
  metrics.batch('fraud', 3, '1');
  metrics.shadow('fraud', '1', { kind: 'compared', difference: 1e-7 });
  metrics.shadow('fraud', '1', { kind: 'compared', difference: null });
  metrics.replaced('fraud', 'died');
  metrics.unexpected('rejection');
  metrics.snapshotApplied(0);
}

/** Where it is missing the tests say so; in CI they fail. */
function hasPromtool(): boolean {
  const isHere = spawnSync('promtool', ['--version'], { stdio: 'ignore' }).status === 0;
  if (!isHere && process.env['CI'] === 'true')
    throw new Error('promtool is missing; install it for these tests');
  if (!isHere)
    process.stderr.write('SKIPPED: promtool is missing, so the scrape page was not checked with it\n');
  return isHere;
}

describe.skipIf(!hasPromtool())('promtool finds nothing to say', () => {
  const check = (input: string) => spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });

  test.each([
    ['of the page of a runtime that was just started', () => {}],
    ['of the page of one that has served', use],
  ])('%s', async (_, prepare) => {
    const { metrics } = make();
    prepare(metrics);

    const { status, stdout, stderr } = check(await metrics.print());

    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  test('of a page of which it would complain if it were not what it is', async () => {
    const { metrics } = make();
    use(metrics);

    const text = await metrics.print();

    expect(
      check(text.replace('# HELP switchback_requests_total', '# HELP switchback_other')).status,
    ).not.toBe(0);
  });
});

test('every metric of the runtime that has a name is on the page of one that has served', async () => {
  const { metrics, clock } = make();
  use(metrics);
  await metrics.print();
  metrics.served(served());
  await clock.advance(1000);

  const text = await metrics.print();

  const others = /_gateway_|repository|observation|rollouts|verdicts|operations/;
  const missing = Object.values(METRICS).filter(
    name => !others.test(name) && !new RegExp(`^${name}(_bucket)?[ {]`, 'm').test(text),
  );
  expect(missing).toEqual([]);
});

test('every metric of ours on the page is in the reference, with its type and its labels', async () => {
  const { metrics } = make();
  use(metrics);
  await metrics.print();
  const text = await metrics.print();
  const reference = await readFile(REFERENCE, 'utf8');
  const documented = Object.fromEntries(
    Array.from(
      reference.matchAll(/^\| `(switchback_\w+)` \| (\w+) \| ([\w, ]*?) ?\| /gm),
      ([, name, type, labels]) => [name, { type, labels: labels!.split(', ').filter(Boolean) }],
    ),
  );

  for (const [, name, type] of text.matchAll(/^# TYPE (switchback_\w+) (\w+)$/gm)) {
    const sample = new RegExp(`^${name}(?:_bucket)?(?:\\{(.*)\\})? `, 'm').exec(text);
    const labels = Array.from((sample?.[1] ?? '').matchAll(/(\w+)="/g), ([, label]) => label);
    const shown =
      sample === null ? (documented[name!]?.labels ?? []) : labels.filter(label => label !== 'le');
    expect({ name, type, labels: shown }).toEqual({ name, ...documented[name!] });
  }
});

test('the page says what happened, in base units', async () => {
  const { metrics, clock } = make();
  use(metrics);
  await clock.advance(2500);

  const lines = (await metrics.print()).split('\n');

  const of = '{model="fraud",version="1"';
  const revision = `${of},revision="${REVISION}"`;
  expect(lines).toEqual(
    expect.arrayContaining([
      `switchback_requests_total${of},protocol="v2",outcome="answered"} 2`,
      `switchback_requests_total${of},protocol="v2-grpc",outcome="failed"} 1`,
      'switchback_requests_total{model="_unknown",version="_none",protocol="v2",outcome="refused"} 1',
      `switchback_request_errors_total${of},code="E_ENGINE_DIED"} 1`,
      `switchback_request_duration_seconds_bucket{le="0.0025",model="fraud",version="1"} 0`,
      `switchback_request_duration_seconds_bucket{le="0.005",model="fraud",version="1"} 2`,
      `switchback_request_duration_seconds_bucket{le="+Inf",model="fraud",version="1"} 2`,
      `switchback_request_duration_seconds_sum${of}} 0.006`,
      `switchback_request_duration_seconds_count${of}} 2`,
      `switchback_request_stage_duration_seconds_sum${of},stage="run"} 0.004`,
      `switchback_inference_duration_seconds_count${of}} 1`,
      `switchback_inference_attempts_total${of},outcome="failed"} 1`,
      `switchback_inference_batch_rows_sum${of}} 3`,
      `switchback_cache_results_total${of},result="redis"} 1`,
      `switchback_cache_results_total${of},result="miss"} 1`,
      `switchback_shadow_copies_total${of},outcome="compared"} 1`,
      `switchback_shadow_copies_total${of},outcome="incomparable"} 1`,
      `switchback_request_retries_total${of}} 1`,
      `switchback_queue_rows${revision}} 9`,
      `switchback_queue_drain_rows_per_second${revision}} 1500`,
      `switchback_batch_wait_seconds${revision},reason="gain"} 0.0015`,
      `switchback_batch_fixed_cost_seconds${revision}} 0.00025`,
      'switchback_engines_running 1',
      'switchback_engine_restarts_total{model="fraud",cause="died"} 1',
      'switchback_snapshot_age_seconds 2.5',
      'switchback_telemetry_dropped_total{record="payload"} 3',
    ]),
  );
});

test('what an engine costs is read from its process: memory as it is, CPU time as it grows', async () => {
  const { metrics } = make();
  const read = async (pattern: RegExp): Promise<number> => Number(pattern.exec(await metrics.print())?.[1]);

  const memory = await read(/^switchback_engine_resident_memory_bytes\{.*engine="0"\} (\d+)$/m);
  const cpu = /^switchback_model_cpu_seconds_total\{model="fraud",version="1",process="engine"\} (\S+)$/m;
  const before = await read(cpu);
  const { user } = process.cpuUsage();
  while (process.cpuUsage().user - user < 50_000);
  const after = await read(cpu);

  expect(memory).toBeGreaterThan(20e6);
  expect(memory).toBeLessThan(process.memoryUsage().rss * 2);
  expect(after - before).toBeGreaterThanOrEqual(0.03);
});

test('what is not known of a queue or a process is not on the page', async () => {
  const queue = { ...RUNNING.queue, drainPerSecond: null, cost: null };
  const { metrics } = make([{ ...RUNNING, pids: [2 ** 22 + 1], queue }]);

  const text = await metrics.print();

  expect(text).toContain('switchback_queue_rows{');
  expect(text).not.toMatch(
    /^switchback_(queue_drain|batch_fixed_cost|batch_row_cost|engine_resident|model_cpu|snapshot_age)\w*[ {]/m,
  );
});

test('two revisions of one version have one set of counts and a queue each', async () => {
  const other = { ...RUNNING, revision: 'aaaaaaaaaaaa-cccccccc', pids: [] };
  const { metrics } = make([RUNNING, other]);
  metrics.served(served());
  metrics.served(served({ backend: backend('1', { revision: other.revision as never }) }));

  const lines = (await metrics.print()).split('\n');

  expect(new Set(lines.filter(line => !line.startsWith('#') && line !== '')).size).toBe(
    lines.filter(line => !line.startsWith('#') && line !== '').length,
  );
  expect(lines).toContain('switchback_request_rows_total{model="fraud",version="1"} 2');
  expect(lines.filter(line => line.startsWith('switchback_queue_rows{'))).toHaveLength(2);
});

test('the page has a bound: versions beyond it share the series of others, and the page says so', async () => {
  const { metrics } = make([], 3);
  for (let version = 0; version < 500; version++) {
    metrics.served(served({ backend: backend(String(version)) }));
    metrics.attempt('fraud', String(version), 'answered', 0.001);
  }

  const text = await metrics.print();

  expect(text.match(/^switchback_request_rows_total\{.*$/gm)).toEqual([
    'switchback_request_rows_total{model="fraud",version="0"} 1',
    'switchback_request_rows_total{model="fraud",version="1"} 1',
    'switchback_request_rows_total{model="fraud",version="2"} 1',
    'switchback_request_rows_total{model="_other",version="_other"} 497',
  ]);
  expect(text).toContain('switchback_series_folded_total 994');
});

test('whoever scrapes at the same time gets the same page, charged once', async () => {
  const { metrics } = make();
  use(metrics);

  const [one, other] = await Promise.all([metrics.print(), metrics.print()]);

  const own = (text: string) => text.match(/^switchback_(?!snapshot).*$/gm);
  expect(own(one)).toEqual(own(other));
});
