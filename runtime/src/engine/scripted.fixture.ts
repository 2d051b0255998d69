import type { Signature } from '@switchback-ml/schemas';
import { SwitchbackError } from '../error.ts';
import type { Engine, EngineEnd } from './engine.ts';
import type { Tensors } from './tensor.ts';

/** An engine whose every answer a test decides. */
export interface ScriptedEngine extends Engine {
  /** What a run does; by default it answers with no outputs. */
  onInfer: (inputs: Tensors, timeoutMs: number) => Promise<Tensors>;
  onLoad: () => Promise<Signature>;
  resident: number | null;
  /** Deadlines of the runs so far. */
  readonly asked: number[];
  end(by: EngineEnd): void;
  readonly isDisposed: boolean;
}

export function scriptedEngine(pid?: number): ScriptedEngine {
  const gone = Promise.withResolvers<EngineEnd>();
  let isDisposed = false;
  const engine = {
    pid,
    gone: gone.promise,
    onInfer: async (): Promise<Tensors> => new Map(),
    onLoad: async (): Promise<Signature> => ({ inputs: {}, outputs: {} }),
    resident: null as number | null,
    asked: [] as number[],
    load: () => engine.onLoad(),
    infer(inputs: Tensors, timeoutMs: number): Promise<Tensors> {
      engine.asked.push(timeoutMs);
      return (engine as ScriptedEngine).onInfer(inputs, timeoutMs);
    },
    residentBytes: async () => engine.resident,
    end: gone.resolve,
    get isDisposed() {
      return isDisposed;
    },
    async [Symbol.asyncDispose]() {
      isDisposed = true;
      gone.resolve({ cause: 'stopped', reason: 'it was stopped' });
    },
  };
  return engine;
}

export function engineError(code: SwitchbackError['code'], message = 'As scripted.'): SwitchbackError {
  return new SwitchbackError(code, message);
}
