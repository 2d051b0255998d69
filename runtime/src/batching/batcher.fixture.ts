import { settled } from '../clock.fixture.ts';
import { systemClock } from '../clock.ts';
import { rows } from '../engine/engine.contract.ts';
import { type ScriptedEngine, scriptedEngine } from '../engine/scripted.fixture.ts';
import type { Tensors } from '../engine/tensor.ts';
import type { BatcherOptions } from './batcher.ts';
import type { Ran, Work } from './work.ts';

export const OPTIONS: BatcherOptions = {
  limits: { maxBatch: 8, timeoutMs: 5000 },
  capacityRows: 100,
  outageMs: 20_000,
  engines: 1,
  isBatchable: true,
  waitMs: 0,
  clock: systemClock,
  onBatch: () => {},
};

/** Work of these values, one a row, each to be divided by 1. */
export function work(values: readonly number[], change: Partial<Work> = {}): Work {
  return {
    inputs: rows(values, Array(values.length).fill(1)),
    rows: values.length,
    alone: false,
    deadline: Number.POSITIVE_INFINITY,
    priority: 0,
    caller: { isGone: false },
    ...change,
  };
}

export function valuesOf(tensors: Tensors, name = 'numerator'): number[] {
  return Array.from(tensors.get(name)!.data, Number);
}

export function answerOf({ outputs }: Ran): number[] {
  return valuesOf(outputs, 'ratio');
}

/** What was answered, or the code of the error. */
export async function outcomes(asked: readonly Promise<Ran>[]): Promise<(number[] | string)[]> {
  const ended = await Promise.allSettled(asked);
  return ended.map(one => (one.status === 'fulfilled' ? answerOf(one.value) : one.reason.code));
}

/** Divides by 1, at once. */
export function dividing(): ScriptedEngine {
  const engine = scriptedEngine();
  engine.onInfer = async inputs => new Map([['ratio', inputs.get('numerator')!]]);
  return engine;
}

export interface PatientEngine {
  engine: ScriptedEngine;
  /** The values of each batch so far. */
  seen: number[][];
  /** Answers the oldest of the batches aboard. */
  answer(): Promise<void>;
  /** Answers all there are and will be. */
  finish(): Promise<void>;
}

/** Divides by 1, when it is told to. */
export function patient(): PatientEngine {
  const engine = scriptedEngine();
  const seen: number[][] = [];
  const aboard: (() => void)[] = [];
  engine.onInfer = inputs =>
    new Promise(resolve => {
      seen.push(valuesOf(inputs));
      aboard.push(() => resolve(new Map([['ratio', inputs.get('numerator')!]])));
    });
  const answer = async (): Promise<void> => {
    aboard.shift()?.();
    await settled();
  };
  return {
    engine,
    seen,
    answer,
    async finish() {
      await settled();
      while (aboard.length > 0) await answer();
    },
  };
}
