import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Sample } from '../model/sample.ts';

const PROGRAM = fileURLToPath(new URL('./loop-process.ts', import.meta.url));
const GRACE_MS = 30_000;

export interface RawOrder {
  batch: number;
  forMs: number;
}

export interface RawModel {
  path: string;
  inputShape: readonly number[];
  rows: readonly Float32Array[];
}

/** A process that does nothing but run the graph. */
export interface RawLoop extends AsyncDisposable {
  /** Rows a second, so many in each run. */
  run: (order: RawOrder) => Promise<number>;
}

export function startRawLoop({ path, model, rows }: Sample, signal: AbortSignal): RawLoop {
  const child = fork(PROGRAM, { serialization: 'advanced', execArgv: [] });
  const ended = once(child, 'exit');
  const early = ended.then(([code]) => {
    throw new Error(`the loop of ONNX Runtime ended with ${code}`);
  });
  early.catch(() => {});
  const raw: RawModel = { path, inputShape: model.inputShape, rows };
  child.send(raw);
  return {
    async run(order) {
      const bound = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(order.forMs + GRACE_MS))]);
      const heard = once(child, 'message', { signal: bound });
      child.send(order);
      const [perSecond] = await Promise.race([heard, early]);
      return perSecond as number;
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
