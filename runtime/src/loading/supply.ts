import type { Backend, ModelName, VersionDigest } from '@switchback-ml/schemas';
import type { Artifacts } from '../artifact/artifact.ts';
import { backOffMs } from '../back-off.ts';
import type { Prepare } from '../charge.ts';
import type { Clock } from '../clock.ts';
import type { WatchedEngine } from '../engine/watched.ts';
import { asSwitchbackError, SwitchbackError } from '../error.ts';
import { type Pulse, readPulse } from '../heartbeat/pulse.ts';
import type { Log } from '../log.ts';
import { attestedDigest, type Content, readContent } from './attest.ts';
import { type ArtifactPaths, openArtifacts, prepareEngine } from './prepare.ts';
import type { Turns, Urgency } from './turns.ts';

export interface SupplyOptions {
  artifacts: Artifacts;
  /** To pull and verify: a thousand files at once only hold each other up. */
  pulls: Turns;
  clock: Clock;
  random: () => number;
  log: Log;
}

/** What engines of one revision are made from. */
export class Supply {
  readonly #options: SupplyOptions;
  readonly #names: Readonly<Record<string, unknown>>;
  readonly #backend: Backend;
  #failure: SwitchbackError | null = null;
  #attested: VersionDigest | null = null;
  /** Of these bytes; read once. */
  #pulse: Pulse | null = null;

  constructor(model: ModelName, backend: Backend, options: SupplyOptions) {
    this.#options = options;
    this.#backend = backend;
    this.#names = { model, version: backend.version, revision: backend.revision };
  }

  /** Why what is needed is not at hand; null when it is, or nobody looked yet. */
  get failure(): SwitchbackError | null {
    return this.#failure;
  }

  /** Worked out from the bytes that were loaded last; null: none were. */
  get attested(): VersionDigest | null {
    return this.#attested;
  }

  /** A golden row or as few as the graph takes, with their answers; null: not read yet, or asleep. */
  get pulse(): Pulse | null {
    return this.#pulse;
  }

  /** The files are verified anew for each engine, so that rot on the disk is met by pulling them again. */
  async open(urgency: Urgency, signal: AbortSignal): Promise<Prepare> {
    const paths = await this.#pull(urgency, signal);
    if (paths === null) throw new SwitchbackError('E_ENGINE_DIED', 'The engine is not wanted any more.');
    return (engine, isProven, unless) => this.#prepare(engine, paths, isProven, unless);
  }

  /** While it sleeps, golden rows need not be held. */
  forget(): void {
    this.#pulse = null;
  }

  /** Tries until it has them; null when not wanted any more. What is missing from the version itself is final. */
  async #pull(urgency: Urgency, signal: AbortSignal): Promise<ArtifactPaths | null> {
    const { clock, random, log } = this.#options;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        return await this.#pullOnce(urgency, signal);
      } catch (error) {
        const failure = asSwitchbackError(error, 'E_ARTIFACT_PULL');
        if (failure.code === 'E_MODEL_LOAD') throw failure;
        const fields = { ...this.#names, reason: failure.message };
        if (failures === 0 && !signal.aborted) log.warn(fields, 'artifact could not be pulled, trying again');
        this.#failure = failure;
        await clock.sleep(backOffMs(failures, random()), signal);
      }
    }
    return null;
  }

  async #pullOnce(urgency: Urgency, signal: AbortSignal): Promise<ArtifactPaths> {
    const { artifacts, pulls } = this.#options;
    const endTurn = await pulls.take(urgency, signal);
    try {
      const paths = await openArtifacts(artifacts, this.#backend, signal);
      this.#failure = null;
      return paths;
    } finally {
      endTurn();
    }
  }

  async #prepare(
    engine: WatchedEngine,
    paths: ArtifactPaths,
    isProven: boolean,
    signal: AbortSignal,
  ): Promise<Pulse> {
    const contents = Promise.all([readContent(paths.model, signal), readContent(paths.golden, signal)]);
    const [prepared, read] = await Promise.allSettled([
      prepareEngine(engine, this.#backend, paths, !isProven),
      contents,
    ]);
    if (prepared.status === 'rejected') throw prepared.reason;
    if (read.status === 'rejected') throw read.reason;
    this.#attest(engine, read.value);
    this.#pulse ??= await readPulse(paths.golden, this.#backend);
    return this.#pulse;
  }

  #attest({ signature }: WatchedEngine, [model, golden]: readonly [Content, Content]): void {
    if (signature === null) return;
    const contents = { 'model.onnx': model, 'golden.json': golden };
    this.#attested = attestedDigest(this.#backend.artifacts, contents, signature);
    const { digest } = this.#backend;
    if (this.#attested === digest) return;
    const fields = { ...this.#names, digest, attested: this.#attested };
    this.#options.log.error(fields, 'what was loaded is not the version that was asked for');
  }
}
