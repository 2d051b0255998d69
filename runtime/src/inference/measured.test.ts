import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelName } from '@switchback-ml/schemas';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type Clock, systemClock } from '../clock.ts';
import { SwitchbackError } from '../error.ts';
import { choiceOf } from '../routing/choice.ts';
import { startRuntimeFixture } from '../runtime.fixture.ts';
import { eventually, ratioBody, ratioVersion } from '../serving.fixture.ts';
import { startCollector } from '../telemetry/otlp/collector.fixture.ts';
import type { Served } from '../telemetry/served.ts';
import type { InferenceCall, Protocol } from './call.ts';
import { type InferenceOptions, inference } from './inference.ts';
import { measured } from './measured.ts';

/** A clock that goes on only by what the parts of a request are said to take. */
function handClock(): Clock & { ms: number } {
  const clock = { ...systemClock, ms: 100, elapsed: () => clock.ms };
  return clock;
}

const BACKEND = ratioVersion({ label: '1' }).backend;
const NOTHING = () => {};

/** A service of one version whose parts take 5 ms to decode, 3 to read, 10 in the queue and the engine, 2 to print. */
function takingTime(clock: Clock & { ms: number }, decodes: boolean) {
  const told: Served[] = [];
  const protocol: Protocol = {
    name: 'v2',
    encoding: () => '',
    decode() {
      clock.ms += 5;
      if (!decodes) throw new SwitchbackError('E_BODY', 'It is none.');
      return {
        id: 'seven',
        timeoutMs: null,
        priority: 0,
        read() {
          clock.ms += 3;
          return { inputs: new Map(), rows: 1 };
        },
        print() {
          clock.ms += 2;
          return { headers: [], body: 'all' };
        },
      };
    },
  };
  const revision = {
    state: 'ready',
    refusalUnread: () => null,
    async infer() {
      clock.ms += 10;
      return { outputs: new Map(), batchRows: 1, batch: {}, queueMs: 4, batchMs: 1, runMs: 5 };
    },
  };
  const route = {
    generation: 'g',
    backends: [BACKEND],
    fallback: null,
    choice: choiceOf('ratio' as ModelName, { backends: [BACKEND] }, [BACKEND]),
  };
  const inner = inference({
    clock,
    random: () => 0,
    serving: { routes: new Map([['ratio', route]]), snapshot: { commit: 'c' } },
    loaded: { find: () => revision },
    counts: { add: NOTHING },
    metrics: { attempt: NOTHING },
    congestion: { refusal: () => null, enter: NOTHING, leave: NOTHING },
    shadowing: { copy: NOTHING },
    payloads: null,
  } as unknown as InferenceOptions);
  const service = measured(inner, { clock, telemetry: { served: record => void told.push(record) } });
  const call: InferenceCall = {
    model: 'ratio',
    version: null,
    message: { body: Buffer.from('{}'), header: () => undefined },
    protocol,
    caller: { isGone: false },
    arrivedAt: clock.ms,
  };
  return { told, infer: async () => service.infer(call) };
}

test('the stages of a request are what its parts took, decoding its body among them, and add up to all of it', async () => {
  const { told, infer } = takingTime(handClock(), true);

  await infer();

  const stages = { parseMs: 8, queueMs: 4, batchMs: 1, runMs: 5, encodeMs: 2 };
  expect(told).toMatchObject([{ id: 'seven', commit: 'c', code: null, stages, totalMs: 20 }]);
});

test('a request that turns out to be none took what it took to find that out', async () => {
  const { told, infer } = takingTime(handClock(), false);

  await expect(infer()).rejects.toMatchObject({ code: 'E_BODY' });

  expect(told).toMatchObject([
    { code: 'E_BODY', backend: null, stages: { parseMs: 5, runMs: 0 }, totalMs: 5 },
  ]);
});

test('what is no request is told to collectors with the time that was spent on reading it', async () => {
  const collector = await startCollector();
  const runtime = await startRuntimeFixture({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint } });
  await runtime.serve({});
  const traceId = randomBytes(16).toString('hex');

  const { status } = await runtime.infer('{', undefined, {
    traceparent: `00-${traceId}-${'ab'.repeat(8)}-01`,
  });

  const told = (): string[] =>
    collector.exports
      .filter(({ path }) => path === '/v1/traces')
      .flatMap(({ body: { resourceSpans } }) => resourceSpans[0].scopeSpans[0].spans)
      .filter(span => span.traceId === traceId)
      .map(({ name }) => name);
  await eventually(() => told().length > 0, 'the spans of a request');
  expect(status).toBe(400);
  expect(told().toSorted()).toEqual(['infer', 'parse']);
});

test('payloads of requests that failed are kept like those of others, with why, which request and which commit', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'switchback-measured-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  // The fixture makes its state folder in there.
  vi.stubEnv('TMPDIR', folder);
  onTestFinished(() => void vi.unstubAllEnvs());
  const runtime = await startRuntimeFixture({
    env: { SWITCHBACK_PAYLOADS: '1', SWITCHBACK_PAYLOADS_REDACT: 'denominator' },
  });
  await runtime.serve({ limits: { timeoutMs: 100 } });
  const named = (id: string, numerator: number) =>
    JSON.stringify({ id, ...JSON.parse(ratioBody([numerator], [3])) });

  // The arithmetic hangs above a million, so the engine is killed; the request hung it alone, so it is not tried again.
  expect((await runtime.infer(named('hangs', 2_000_000))).status).toBe(504);
  await eventually(async () => (await runtime.infer(named('answered', 6))).ok, 'an answer');
  expect((await runtime.infer(JSON.stringify({ id: 'none', inputs: [] }))).status).toBe(400);

  const read = async (): Promise<Record<string, unknown>[]> => {
    const [state] = (await readdir(folder)).filter(name => name.startsWith('switchback-runtime-'));
    const payloads = join(folder, state!, 'payloads');
    const texts = await Promise.all(
      (await readdir(payloads)).map(name => readFile(join(payloads, name), 'utf8')),
    );
    return texts.flatMap(text => text.split('\n').filter(Boolean)).map(line => JSON.parse(line));
  };
  const lines = await eventually(async () => {
    const found = await read();
    return found.some(({ id, code }) => id === 'answered' && code === undefined) && found;
  }, 'the payloads');
  const denominator = { name: 'denominator', datatype: 'FP32', shape: [1, 1], redacted: true };
  expect(lines[0]).toMatchObject({
    id: 'hangs',
    code: 'E_ENGINE_TIMEOUT',
    commit: 'c'.repeat(40),
    inputs: [{ name: 'numerator', data: [2_000_000] }, denominator],
    outputs: [],
  });
  expect(lines[0]).not.toHaveProperty('predictionId');
  expect(lines.at(-1)).toMatchObject({
    id: 'answered',
    predictionId: expect.any(String),
    outputs: [{ data: [2] }],
  });
  expect(lines.some(({ id }) => id === 'none')).toBe(false);
});
