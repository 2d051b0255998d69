import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { type Graph, initializer, type ModelOptions, onnxModel } from '../engine/onnx/graph.fixture.ts';
import { SwitchbackError } from '../error.ts';
import { plainGraph } from './hostile-model.fixture.ts';
import { type GraphFacts, preflight } from './preflight.ts';

export interface Files {
  /** Path of a name that is free. */
  path(name: string): string;
  written(bytes: Uint8Array | string): string;
  look(bytes: Uint8Array | string, domains?: readonly string[]): GraphFacts;
  /** The words of a refusal, which is due. */
  refusal(attempt: () => unknown): string;
}

/** A folder for the files of one test file. */
export function useFiles(): Files {
  let folder = '';
  let count = 0;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'switchback-preflight-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const written: Files['written'] = bytes => {
    const path = join(folder, `${count++}.onnx`);
    writeFileSync(path, bytes);
    return path;
  };
  return {
    path: name => join(folder, name),
    written,
    look: (bytes, domains) => preflight(written(bytes), domains),
    refusal(attempt) {
      try {
        attempt();
      } catch (error) {
        expect(error).toBeInstanceOf(SwitchbackError);
        const { code, message } = error as SwitchbackError;
        expect(code).toBe('E_MODEL_LOAD');
        expect(message).not.toContain(folder);
        return message;
      }
      throw new Error('it was not refused');
    },
  };
}

/** `y = x` with whatever else is asked for. */
export function graph(extra: Partial<Graph>, options?: ModelOptions): Uint8Array {
  return onnxModel(plainGraph(extra), options);
}

/** Of FP32, with as many bytes as are asked for. */
export function tensor(shape: readonly number[], bytes: number, name = 'w'): Uint8Array {
  return initializer(name, 'FP32', shape, new Uint8Array(bytes));
}
