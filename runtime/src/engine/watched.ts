import type { Signature } from '@switchback-ml/schemas';
import type { Clock } from '../clock.ts';
import type { Engine, EngineEnd, LoadRequest } from './engine.ts';
import type { Tensors } from './tensor.ts';

/** An engine of which it is known what is aboard, since when nothing is, and which graph it holds. */
export class WatchedEngine implements Engine {
  readonly #engine: Engine;
  readonly #clock: Clock;
  #aboard = 0;
  #answers = 0;
  #isBeating = false;
  #idleSince: number;
  #signature: Signature | null = null;
  #onIdle: (() => void)[] = [];

  constructor(engine: Engine, clock: Clock) {
    this.#engine = engine;
    this.#clock = clock;
    this.#idleSince = clock.elapsed();
  }

  get pid(): number | undefined {
    return this.#engine.pid;
  }

  get gone(): Promise<EngineEnd> {
    return this.#engine.gone;
  }

  /** As the loaded graph declares it; null while blank. */
  get signature(): Signature | null {
    return this.#signature;
  }

  /** Batches answered; heartbeats are none. */
  get answers(): number {
    return this.#answers;
  }

  get isBeating(): boolean {
    return this.#isBeating;
  }

  /** How long nothing was aboard; 0 while something is. */
  get idleMs(): number {
    return this.#aboard > 0 ? 0 : this.#clock.elapsed() - this.#idleSince;
  }

  async load(request: LoadRequest): Promise<Signature> {
    this.#signature = await this.#engine.load(request);
    return this.#signature;
  }

  async infer(inputs: Tensors, timeoutMs: number): Promise<Tensors> {
    const outputs = await this.#run(inputs, timeoutMs);
    this.#answers++;
    return outputs;
  }

  /** A run for our own sake. */
  async beat(inputs: Tensors, timeoutMs: number): Promise<Tensors> {
    this.#isBeating = true;
    try {
      return await this.#run(inputs, timeoutMs);
    } finally {
      this.#isBeating = false;
    }
  }

  residentBytes(): Promise<number | null> {
    return this.#engine.residentBytes();
  }

  /** Resolves once nothing is aboard, which the time limits of what is aboard bound. */
  idle(): Promise<void> {
    return this.#aboard === 0 ? Promise.resolve() : new Promise(resolve => this.#onIdle.push(resolve));
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#engine[Symbol.asyncDispose]();
  }

  async #run(inputs: Tensors, timeoutMs: number): Promise<Tensors> {
    this.#aboard++;
    try {
      return await this.#engine.infer(inputs, timeoutMs);
    } finally {
      this.#aboard--;
      this.#idleSince = this.#clock.elapsed();
      if (this.#aboard === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
    }
  }
}
