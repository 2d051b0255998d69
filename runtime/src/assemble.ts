import { randomUUID } from 'node:crypto';
import { InstanceId, type ModelName } from '@switchback-ml/schemas';
import type { FastifyInstance } from 'fastify';
import type { Artifacts } from './artifact/artifact.ts';
import type { ReplyCache } from './cache/cache.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import type { StartEngine } from './engine/engine.ts';
import { type FrontOptions, makeFront } from './front/server.ts';
import { Congestion } from './inference/congestion.ts';
import { type Inference, inference } from './inference/inference.ts';
import { measured } from './inference/measured.ts';
import { Shadowing } from './inference/shadowing.ts';
import { LoadedSet } from './loaded-set.ts';
import type { Log } from './log.ts';
import { chooseProcessorUse, findProcessors, type Processors } from './processors.ts';
import { type Readiness, Serving } from './serving.ts';
import { Nudge } from './snapshot/nudge.ts';
import { Supervisor } from './supervisor.ts';
import { Counts } from './telemetry/counts.ts';
import { type Metrics, makeMetrics } from './telemetry/metrics.ts';
import { type Instance, observation } from './telemetry/observation.ts';
import { predictionIds } from './telemetry/prediction-id.ts';
import { openTelemetry, type Telemetry } from './telemetry/telemetry.ts';

const STOPPING: Readiness = {
  isReady: false,
  reasons: [{ code: 'E_STOPPING', message: 'The runtime is stopping.' }],
};

export interface RuntimeOptions {
  config: Config;
  /** The secret shared with the controller. */
  token: string;
  startEngine: StartEngine;
  artifacts: Artifacts;
  cache: ReplyCache;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  log: Log;
}

export interface Parts {
  instance: Instance;
  supervisor: Supervisor;
  loaded: LoadedSet;
  serving: Serving;
  front: FastifyInstance;
  frontOptions: FrontOptions;
  metrics: Metrics;
  telemetry: Telemetry;
  congestion: Congestion;
  /** Of the poll, by whoever shows that the controller is there. */
  nudge: Nudge;
  /** Says "not ready" from now on. */
  drain(): void;
}

/** Puts the parts of a runtime together; nothing but the spare engine runs yet. */
export async function assemble(options: RuntimeOptions): Promise<Parts> {
  const { clock, config } = options;
  const { environment } = config;
  const instance = { instanceId: InstanceId.parse(randomUUID()), environment, startedAt: clock.now() };
  const core = makeCore(options, await findProcessors());
  const { metrics, serving, loaded, counts } = core;
  const { instanceId } = instance;
  const kept = { settings: config.telemetry, stateDir: config.stateDir, instanceId, environment };
  const telemetry = await openTelemetry({ ...options, ...kept, metrics });
  core.dropped = () => telemetry.dropped();
  const congestion = new Congestion(clock);
  const nudge = new Nudge();
  let isDraining = false;
  const frontOptions: FrontOptions = {
    inference: measured(makeService(options, core, telemetry, congestion), { telemetry, clock }),
    commit: () => serving.snapshot?.commit,
    keys: () => serving.snapshot?.keys ?? NO_KEYS,
    stats: { of: (model, { version }) => metrics.stats(model, version) },
    startup: () => serving.startup(),
    readiness: () => (isDraining ? STOPPING : serving.readiness()),
    isReady: (model, { revision }) => loaded.isReady(model as ModelName, revision),
    golden: (model, { revision }) => loaded.find(model as ModelName, revision)?.golden ?? null,
    loaded: (model, { revision }) => loaded.find(model as ModelName, revision)?.describe(),
    observe: () => {
      // Only the controller has the token to ask: it is back, and may have a snapshot.
      nudge.nudge();
      return observation(instance, { serving, loaded, counts }, clock.now());
    },
    token: options.token,
    isDraining: () => isDraining,
    metrics,
    clock,
    log: options.log,
  };
  const front = makeFront(frontOptions);
  const drain = (): void => {
    isDraining = true;
  };
  const { supervisor } = core;
  return {
    instance,
    supervisor,
    loaded,
    serving,
    front,
    frontOptions,
    metrics,
    telemetry,
    congestion,
    nudge,
    drain,
  };
}

/** One list, so that whoever was admitted by it need not be looked at again. */
const NO_KEYS: readonly string[] = [];

interface Core {
  counts: Counts;
  metrics: Metrics;
  supervisor: Supervisor;
  loaded: LoadedSet;
  serving: Serving;
  /** Records that telemetry could not keep. */
  dropped: () => Readonly<Record<string, number>>;
}

/** What is loaded, what is served of it, and what is counted. */
function makeCore(options: RuntimeOptions, processors: Processors): Core {
  const { clock, log, random, cache } = options;
  const use = chooseProcessorUse(processors);
  log.info({ found: processors, ...use }, 'processors are shared out');
  const metrics = makeMetrics({
    countEngines: () => core.loaded.countReady(),
    running: () => core.loaded.running(),
    isModel: model => Object.hasOwn(core.serving.snapshot?.routes ?? {}, model),
    cache: () => cache.describe(),
    dropped: () => core.dropped(),
    clock,
  });
  const supervisor = new Supervisor({
    loadsAtOnce: use.loadsAtOnce,
    start: options.startEngine,
    clock,
    random,
    log,
    onReplaced: ({ model }, cause) => metrics.replaced(model, cause),
  });
  const loaded = new LoadedSet({
    ...options,
    supervisor,
    onBatch: metrics.batch,
    onChange: () => core.serving.settle(),
    onUnloaded: (model, revision) => cache.drop(model, revision),
  });
  const serving = new Serving({ loaded, log, onApplied: () => metrics.snapshotApplied(clock.now()) });
  const core: Core = { counts: new Counts(), metrics, supervisor, loaded, serving, dropped: () => ({}) };
  return core;
}

function makeService(
  { clock, random, cache }: RuntimeOptions,
  { serving, loaded, counts, metrics }: Core,
  { payloads }: Telemetry,
  congestion: Congestion,
): Inference {
  const shadowing = new Shadowing({
    loaded,
    clock,
    random,
    onShadow: (model, { version }, outcome) => metrics.shadow(model, version, outcome),
  });
  const parts = { serving, loaded, counts, metrics, congestion, shadowing, cache, payloads };
  return inference({ ...parts, newPredictionId: predictionIds(), clock, random });
}
