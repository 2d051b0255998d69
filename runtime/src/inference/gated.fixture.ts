import type { StartEngine } from '../engine/engine.ts';
import { memoryEngines } from '../engine/memory/index.ts';

export interface GatedEngines {
  startEngine: StartEngine;
  shut(): void;
  open(): void;
  /** Resolves once so many batches stand before the gate that was shut last. */
  reached(batches: number): Promise<void>;
}

/** Engines that keep every answer back from `shut` until `open`. */
export function gatedEngines(): GatedEngines {
  const start = memoryEngines();
  let gate = Promise.withResolvers<void>();
  gate.resolve();
  let standing = 0;
  let waiting: { batches: number; resolve: () => void }[] = [];
  return {
    async startEngine(signal) {
      const engine = await start(signal);
      const infer = engine.infer.bind(engine);
      engine.infer = async (inputs, timeoutMs) => {
        standing++;
        for (const { batches, resolve } of waiting) if (standing >= batches) resolve();
        await gate.promise;
        return infer(inputs, timeoutMs);
      };
      return engine;
    },
    shut() {
      gate = Promise.withResolvers();
      standing = 0;
      waiting = [];
    },
    open: () => gate.resolve(),
    reached: batches =>
      standing >= batches
        ? Promise.resolve()
        : new Promise(resolve => {
            waiting.push({ batches, resolve });
          }),
  };
}
