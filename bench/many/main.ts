import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { serveSnapshots } from '../serving/subject/snapshot-server.ts';
import { type ManyModels, makeMany, nameOf } from './models.ts';
import { RuntimeProcess } from './runtime-process.ts';
import { askMany, type Traffic } from './traffic.ts';

/*
 * Many models on one runtime with less memory than they would need awake: how long until all were verified, what it
 * holds, how many requests meet an engine awake, how long those wait that don't, and how soon a restart answers again.
 * `--json` ends with one line of figures.
 */
const MIB = 2 ** 20;
const LONGEST_START_SECONDS = 3600;

const { values } = parseArgs({
  options: {
    models: { type: 'string', default: '1000' },
    'budget-mib': { type: 'string', default: '1024' },
    seconds: { type: 'string', default: '60' },
    rate: { type: 'string', default: '10' },
    exponent: { type: 'string', default: '1.1' },
    json: { type: 'boolean', default: false },
  },
});
const [models, budgetMib, seconds, perSecond, exponent] = [
  values.models,
  values['budget-mib'],
  values.seconds,
  values.rate,
  values.exponent,
].map(Number) as [number, number, number, number, number];
if (![models, budgetMib, seconds, perSecond, exponent].every(value => value > 0)) {
  process.stderr.write('--models, --budget-mib, --seconds, --rate and --exponent take numbers above 0\n');
  process.exit(2);
}

const scratch = await mkdtemp(join(tmpdir(), 'switchback-many-'));
try {
  const figures = await measure(scratch);
  for (const [name, value] of Object.entries(figures)) process.stderr.write(`${name.padEnd(28)}${value}\n`);
  if (values.json) process.stdout.write(`${JSON.stringify(figures)}\n`);
} finally {
  await rm(scratch, { recursive: true, force: true });
}

async function measure(folder: string): Promise<Record<string, number | string>> {
  const [token, key] = [randomBytes(24).toString('hex'), randomBytes(24).toString('hex')];
  const stateDir = join(folder, 'state');
  await mkdir(stateDir);
  const many = makeMany(models, key);
  await using controller = await serveSnapshots(token);
  for (const [digest, bytes] of many.files) controller.artifacts.set(digest, bytes);
  controller.publish(many.snapshot);
  const options = { controller: controller.address, token, key, stateDir, budgetMib };

  const loadBefore = loadavg()[0]!.toFixed(1);
  const first = await firstLife(await RuntimeProcess.start(options), many, key);
  const second = await secondLife(options);
  return { models, budgetMib, loadBefore, loadAfter: loadavg()[0]!.toFixed(1), ...first, ...second };
}

async function firstLife(started: RuntimeProcess, many: ManyModels, key: string) {
  await using runtime = started;
  const began = performance.now();
  const peaks = { front: 0, engines: 0, resident: 0, count: 0 };
  const watching = new AbortController();
  const watched = watchMemory(runtime, peaks, watching.signal);
  await untilReady(runtime);
  const verifiedSeconds = (performance.now() - began) / 1000;
  tell(`all verified after ${verifiedSeconds.toFixed(1)} s`);
  const afterStart = { ...peaks };

  const { address } = runtime;
  const rest = { models, exponent, perSecond, seconds, seed: 7, body: many.body, answerOf: many.answerOf };
  const pathOf = (index: number): string => `/v2/models/${nameOf(index)}/infer`;
  const traffic = await askMany({ address, key, pathOf, ...rest });
  const figures = await look(runtime, traffic);
  watching.abort();
  await watched;
  return {
    verifiedSeconds: round(verifiedSeconds),
    frontMiB: Math.round(peaks.front / MIB),
    enginesMiB: Math.round(peaks.engines / MIB),
    enginesResidentMiB: Math.round(peaks.resident / MIB),
    enginesMiBWhileVerifying: Math.round(afterStart.engines / MIB),
    engines: peaks.count,
    ...figures,
  };
}

/** On what the first left behind: not all is loaded again before it answers. */
async function secondLife(options: Parameters<typeof RuntimeProcess.start>[0]) {
  const began = performance.now();
  await using runtime = await RuntimeProcess.start(options);
  await untilReady(runtime);
  return { restartSeconds: round((performance.now() - began) / 1000) };
}

async function untilReady(runtime: RuntimeProcess): Promise<void> {
  let told = 0;
  await runtime.until(async () => {
    const { loaded } = await runtime.observe();
    const failed = loaded.find(({ state }) => state === 'failed');
    if (failed !== undefined) throw new Error(`${failed.model} failed: ${failed.failure?.message}`);
    const ready = loaded.filter(({ state }) => state === 'ready').length;
    if (ready >= told + 100) {
      told = ready;
      tell(`${ready} verified`);
    }
    await delay(ready < models ? 900 : 0);
    return ready === models && (await runtime.get('/v2/health/ready')).status === 200;
  }, LONGEST_START_SECONDS);
}

async function look(runtime: RuntimeProcess, { tookMs, failed }: Traffic) {
  const index = await runtime.get('/v2/repository/index', undefined, 'POST');
  const scraped = await runtime.get('/metrics');
  const sample = (name: string): number =>
    Number(new RegExp(`^${name}(?:\\{\\})? (\\S+)$`, 'm').exec(scraped.body)?.[1] ?? Number.NaN);
  const { loaded } = await runtime.observe();
  for (const [how, count] of failed) tell(`${count} × ${how}`);
  const loadMs = loaded.flatMap(one => one.loadMs ?? []);
  const wakes = sample('switchback_revision_wake_duration_seconds_count');
  const requests = tookMs.length + [...failed.values()].reduce((sum, count) => sum + count, 0);
  const waited = tookMs.toSorted((a, b) => b - a).slice(0, wakes);
  return {
    requests,
    failed: requests - tookMs.length,
    wakes,
    awakeShare: round(1 - wakes / requests),
    evictions: sample('switchback_revision_evictions_total'),
    p50Ms: round(quantile(tookMs, 0.5)),
    p99Ms: round(quantile(tookMs, 0.99)),
    wakeP50Ms: round(quantile(waited, 0.5)),
    wakeP99Ms: round(quantile(waited, 0.99)),
    loadP50Ms: round(quantile(loadMs, 0.5)),
    asleep: loaded.filter(({ asleep }) => asleep === true).length,
    indexMs: round(index.ms),
    metricsMs: round(scraped.ms),
    metricsKiB: Math.round(scraped.body.length / 1024),
  };
}

async function watchMemory(
  runtime: RuntimeProcess,
  peaks: { front: number; engines: number; resident: number; count: number },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const { frontBytes, engineBytes, engineResidentBytes, engines } = runtime.memory();
    peaks.front = Math.max(peaks.front, frontBytes);
    peaks.engines = Math.max(peaks.engines, engineBytes);
    peaks.resident = Math.max(peaks.resident, engineResidentBytes);
    peaks.count = Math.max(peaks.count, engines);
    await delay(200, undefined, { signal }).catch(() => {});
  }
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}

function tell(words: string): void {
  process.stderr.write(`${words}\n`);
}
