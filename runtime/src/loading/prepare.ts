import type { Backend, BackendLimits, Signature } from '@switchback-ml/schemas';
import type { Artifacts } from '../artifact/artifact.ts';
import type { Engine } from '../engine/engine.ts';
import { sliceRows, type Tensors } from '../engine/tensor.ts';
import { asSwitchbackError, SwitchbackError } from '../error.ts';
import {
  DEFAULT_TOLERANCE,
  type Golden,
  goldenDifference,
  goldenPortions,
  readGolden,
  rowsAlone,
} from './golden.ts';
import { isBatchable, signatureDifference } from './signature.ts';

/** For opening the graph, and for each portion of golden rows: not a request's deadline, which may be short. */
const LOAD_TIMEOUT_MS = 30_000;
const WARM_UP_RUNS = 3;

const MODEL = 'model.onnx';
const GOLDEN = 'golden.json';

export interface ArtifactPaths {
  model: string;
  golden: string;
}

/** What an engine has to live up to; a backend says it, and so does who tries a version before it is one. */
export interface Demands {
  signature: Signature;
  limits: Pick<BackendLimits, 'memoryBytes' | 'maxBatch'>;
  artifacts: Readonly<Record<string, { tolerance?: number | undefined }>>;
}

/** Verified local files of a version's model and golden answers. Rejects with E_ARTIFACT_PULL. */
export async function openArtifacts(
  artifacts: Artifacts,
  backend: Backend,
  signal: AbortSignal,
): Promise<ArtifactPaths> {
  const open = (file: string): Promise<string> => {
    const artifact = backend.artifacts[file];
    if (artifact !== undefined) return artifacts.open(artifact, signal);
    throw new SwitchbackError('E_MODEL_LOAD', `Version ${backend.version} has no ${file}.`);
  };
  return { model: await open(MODEL), golden: await open(GOLDEN) };
}

/**
 * Makes a blank engine ready to answer for a backend: load, compare signatures, ask the golden rows, a few of them
 * again in other company, warm up. The golden rows are asked only of the first engine that gets the same bytes; one
 * that replaces it is only warmed up.
 */
export async function prepareEngine(
  engine: Engine,
  demands: Demands,
  paths: ArtifactPaths,
  isFirst: boolean,
  timeoutMs = LOAD_TIMEOUT_MS,
): Promise<void> {
  const { signature, limits, artifacts } = demands;
  await onTime('load', timeoutMs, async () => {
    const { memoryBytes } = limits;
    const graph = await engine.load({ path: paths.model, memoryBytes, timeoutMs });
    refuseOtherSignature(signature, graph);
  });
  const golden = await readGolden(paths.golden);
  const portions = goldenPortions(golden, signature, limits.maxBatch);
  const tolerance = artifacts[GOLDEN]?.tolerance ?? DEFAULT_TOLERANCE;
  if (isFirst)
    await onTime('answer its golden rows', timeoutMs, async () => {
      const wrong = await askGolden(engine, portions, tolerance, timeoutMs);
      if (wrong !== null) throw missed(wrong);
      await askAgain(engine, golden, { signature, tolerance, timeoutMs });
    });
  const row = oneRow(portions[0]!.inputs, signature);
  await onTime('warm up', timeoutMs, () => warmUp(engine, row, timeoutMs));
}

/** Throws E_MODEL_SIGNATURE where the graph takes or gives something else than was declared. */
export function refuseOtherSignature(declared: Signature, graph: Signature): void {
  const difference = signatureDifference(declared, graph);
  if (difference === null) return;
  const message = `The signature is not the model's: ${difference}. Register the version anew.`;
  throw new SwitchbackError('E_MODEL_SIGNATURE', message);
}

/** Asks a few rows once more, alone. Throws E_MODEL_GOLDEN when that gives other answers. */
export async function askAgain(
  engine: Engine,
  golden: Golden,
  by: { signature: Signature; tolerance: number; timeoutMs: number },
): Promise<void> {
  const changed = await askGolden(engine, rowsAlone(golden, by.signature), by.tolerance, by.timeoutMs);
  if (changed !== null) throw inconstant(changed);
}

/** The first difference from the golden answers, in one clause; null when there is none. */
async function askGolden(
  engine: Engine,
  portions: readonly Golden[],
  tolerance: number,
  timeoutMs: number,
): Promise<string | null> {
  let rowsBefore = 0;
  for (const { inputs, outputs } of portions) {
    const got = await infer(engine, inputs, timeoutMs);
    const difference = goldenDifference(got, outputs, tolerance, rowsBefore);
    if (difference !== null) return difference;
    rowsBefore += [...inputs.values()][0]?.shape[0] ?? 0;
  }
  return null;
}

function missed(difference: string): SwitchbackError {
  return new SwitchbackError('E_MODEL_GOLDEN', `The model does not give its golden answers: ${difference}.`);
}

/** Requests meet in batches of any size, so an answer may depend on nothing but its own row. */
function inconstant(difference: string): SwitchbackError {
  const remedy =
    'Its answers hang on chance or on the rows beside them: export it for inference, with dropout off and normalisation fixed.';
  return new SwitchbackError(
    'E_MODEL_GOLDEN',
    `The model gives its golden answers once, and others to the same rows asked again: ${difference}. ${remedy}`,
  );
}

async function infer(engine: Engine, inputs: Tensors, timeoutMs: number): Promise<Tensors> {
  try {
    return await engine.infer(inputs, timeoutMs);
  } catch (error) {
    const { code, message } = asSwitchbackError(error);
    if (code !== 'E_INTERNAL') throw error;
    throw new SwitchbackError('E_MODEL_GOLDEN', `The model refuses its golden rows: ${message}`, {
      cause: error,
    });
  }
}

/** The first runs of a graph allocate; nobody's request should wait for that. */
async function warmUp(engine: Engine, rows: Tensors, timeoutMs: number): Promise<void> {
  for (let run = 0; run < WARM_UP_RUNS; run++) await infer(engine, rows, timeoutMs);
}

function oneRow(inputs: Tensors, signature: Signature): Tensors {
  if (!isBatchable(signature)) return inputs;
  return new Map(
    [...inputs].map(([name, tensor]) => [name, sliceRows(tensor, 0, Math.min(1, tensor.shape[0] ?? 0))]),
  );
}

/** A model that can't be made ready in time is refused for good: it would only hang again. */
async function onTime(what: string, timeoutMs: number, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (asSwitchbackError(error).code !== 'E_ENGINE_TIMEOUT') throw error;
    const message = `The model did not ${what} within ${timeoutMs / 1000} s, so its engine was killed.`;
    throw new SwitchbackError('E_MODEL_LOAD', message, { cause: error });
  }
}
