import { readFile } from 'node:fs/promises';
import { Signature } from '@switchback-ml/schemas';
import { SwitchbackError } from '../../error.ts';
import type { Engine, EngineEnd, LoadRequest, StartEngine } from '../engine.ts';
import { elementCount, type Tensor, type Tensors } from '../tensor.ts';

/**
 * A "model" of this engine is a JSON file: its signature and which two inputs are divided by each other. A
 * numerator above `hangsAbove` never comes back, as a graph with an endless loop.
 */
export interface Arithmetic {
  signature: Signature;
  divide: { numerator: string; denominator: string; into: string };
  hangsAbove: number;
}

/** Engines that compute in this process: for tests of what stands around an engine. */
export function memoryEngines(): StartEngine {
  return async signal => {
    signal.throwIfAborted();
    return new MemoryEngine();
  };
}

class MemoryEngine implements Engine {
  readonly pid = undefined;
  readonly gone: Promise<EngineEnd>;
  #die: (end: EngineEnd) => void = () => {};
  #end: EngineEnd | null = null;
  #model: Arithmetic | null = null;
  /** Runs are one at a time, in order. */
  #tail: Promise<unknown> = Promise.resolve();

  constructor() {
    this.gone = new Promise(resolve => {
      this.#die = end => {
        this.#end ??= end;
        resolve(this.#end);
      };
    });
  }

  async load({ path }: LoadRequest): Promise<Signature> {
    this.#refuseIfGone();
    try {
      this.#model = JSON.parse(await readFile(path, 'utf8')) as Arithmetic;
      return Signature.parse(this.#model.signature);
    } catch (error) {
      throw new SwitchbackError('E_MODEL_LOAD', 'The arithmetic engine could not open the model.', {
        cause: error,
      });
    }
  }

  infer(inputs: Tensors, timeoutMs: number): Promise<Tensors> {
    const answer = this.#tail.then(() => this.#run(inputs, timeoutMs));
    this.#tail = answer.catch(() => {});
    return answer;
  }

  async residentBytes(): Promise<null> {
    return null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#die({ cause: 'stopped', reason: 'it was stopped' });
  }

  async #run(inputs: Tensors, timeoutMs: number): Promise<Tensors> {
    this.#refuseIfGone();
    if (this.#model === null) throw new SwitchbackError('E_INTERNAL', 'The engine is blank.');
    const { divide, hangsAbove } = this.#model;
    const numerator = inputs.get(divide.numerator);
    const denominator = inputs.get(divide.denominator);
    if (numerator === undefined || denominator === undefined)
      throw new SwitchbackError('E_INTERNAL', 'The model could not run: an input is missing.');
    if (Math.max(...numbers(numerator)) > hangsAbove) return this.#hang(timeoutMs);
    return new Map([[divide.into, ratio(numerator, denominator)]]);
  }

  async #hang(timeoutMs: number): Promise<never> {
    const late: EngineEnd = { cause: 'late', reason: `it took longer than ${timeoutMs} ms` };
    const timer = setTimeout(() => this.#die(late), timeoutMs);
    const { cause, reason } = await this.gone;
    clearTimeout(timer);
    if (cause === 'late')
      throw new SwitchbackError('E_ENGINE_TIMEOUT', `The engine was killed because ${reason}.`);
    throw died(reason);
  }

  #refuseIfGone(): void {
    if (this.#end !== null) throw died(this.#end.reason);
  }
}

function died(reason: string): SwitchbackError {
  return new SwitchbackError('E_ENGINE_DIED', `The engine is gone: ${reason}.`);
}

function ratio(numerator: Tensor, denominator: Tensor): Tensor {
  const below = numbers(denominator);
  const data = Float32Array.from(numbers(numerator), (value, index) => value / below[index]!);
  if (elementCount(numerator.shape) !== below.length)
    throw new SwitchbackError('E_INTERNAL', 'The model could not run: the inputs differ in shape.');
  return { datatype: 'FP32', shape: numerator.shape, data };
}

function numbers(tensor: Tensor): number[] {
  return Array.from(tensor.data, Number);
}
