import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Backend, EnvironmentName, OBSERVATION_PATH, RuntimeObservation } from '@switchback-ml/schemas';
import { onTestFinished } from 'vitest';
import { controllerArtifacts } from './artifact/controller/index.ts';
import { inProcessReplies } from './cache/in-process/index.ts';
import { replyCache } from './cache/two-level.ts';
import { type Clock, systemClock } from './clock.ts';
import { type ControllerFixture, startController, TOKEN } from './controller.fixture.ts';
import type { StartEngine } from './engine/engine.ts';
import { memoryEngines } from './engine/memory/index.ts';
import { silentLog } from './log.ts';
import { startRuntime } from './runtime.ts';
import { eventually, KEY, ratioVersion, snapshotOf, type VersionOptions } from './serving.fixture.ts';
import { parseTelemetrySettings } from './telemetry/settings.ts';

export interface RuntimeFixture {
  address: string;
  controller: ControllerFixture;
  /** Publishes the model "ratio" with these versions, and waits until they answer. */
  serve(...versions: VersionOptions[]): Promise<Backend[]>;
  /** The same, without waiting. */
  publish(...versions: VersionOptions[]): Backend[];
  infer(body: string, path?: string, headers?: Record<string, string>): Promise<Response>;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  observe(): Promise<RuntimeObservation>;
}

export interface RuntimeFixtureOptions {
  startEngine?: StartEngine;
  clock?: Clock;
  random?: () => number;
  port?: number;
  grpcPort?: number;
  /** That all engines may hold together. */
  engineMemoryBytes?: number;
  /** Settings of telemetry. */
  env?: Record<string, string>;
}

/** A whole runtime in this process, against a real controller fixture over HTTP. Stops with the test. */
export async function startRuntimeFixture(options: RuntimeFixtureOptions = {}): Promise<RuntimeFixture> {
  const controller = await startController();
  onTestFinished(() => controller[Symbol.asyncDispose]());
  const address = await startRuntimeOf(controller, options);

  const get: RuntimeFixture['get'] = (path, headers = { authorization: `Bearer ${KEY}` }) =>
    fetch(address + path, { headers });
  const observe = async (): Promise<RuntimeObservation> => {
    const response = await get(OBSERVATION_PATH, { authorization: `Bearer ${TOKEN}` });
    return RuntimeObservation.parse(await response.json());
  };
  const publish: RuntimeFixture['publish'] = (...versions) => {
    const made = versions.map(ratioVersion);
    for (const { objects } of made) for (const [name, bytes] of objects) controller.objects.set(name, bytes);
    const backends = made.map(({ backend }) => backend);
    controller.publish(snapshotOf({ ratio: backends }));
    return backends;
  };
  return {
    address,
    controller,
    get,
    observe,
    publish,
    async serve(...versions) {
      const backends = publish(...versions);
      const { generation } = snapshotOf({ ratio: backends });
      await eventually(async () => isSettled(await observe(), generation), 'the route being applied');
      return backends;
    },
    infer: (body, path = '/v2/models/ratio/infer', headers = {}) =>
      fetch(address + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${KEY}`, ...headers },
        body,
      }),
  };
}

async function startRuntimeOf(
  controller: ControllerFixture,
  options: RuntimeFixtureOptions,
): Promise<string> {
  const stateDir = await mkdtemp(join(tmpdir(), 'switchback-runtime-'));
  onTestFinished(() => rm(stateDir, { recursive: true, force: true }));
  const clock = options.clock ?? systemClock;
  const cache = replyCache({ clock, near: inProcessReplies({ clock, budgetBytes: 2 ** 20 }), far: null });
  onTestFinished(() => cache[Symbol.asyncDispose]());
  const runtime = await startRuntime({
    config: {
      environment: EnvironmentName.parse('test'),
      controller: controller.address,
      stateDir,
      port: options.port ?? 0,
      host: '127.0.0.1',
      tokenFile: '',
      grpcPort: options.grpcPort ?? null,
      cacheBytes: 2 ** 20,
      redisFile: null,
      ...(options.engineMemoryBytes !== undefined && { engineMemoryBytes: options.engineMemoryBytes }),
      telemetry: parseTelemetrySettings({ SWITCHBACK_REQUEST_LOG: 'off', ...options.env }),
    },
    token: TOKEN,
    startEngine: options.startEngine ?? memoryEngines(),
    artifacts: await controllerArtifacts({ controller: controller.address, token: TOKEN, stateDir }),
    cache,
    clock,
    random: options.random ?? Math.random,
    log: silentLog,
  });
  onTestFinished(() => runtime[Symbol.asyncDispose]());
  return runtime.address;
}

/** Applied, and those without weight are loaded as well, or never will be. */
function isSettled({ routes, loaded }: RuntimeObservation, generation: string): boolean {
  const isApplied = Object.values(routes).some(route => route.generation === generation);
  return isApplied && loaded.every(({ state }) => state === 'ready' || state === 'failed');
}
