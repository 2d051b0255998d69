import type { Backend } from '@switchback-ml/schemas';
import type { Artifacts } from '../artifact/artifact.ts';
import type { Engine } from '../engine/engine.ts';
import { sliceRows, type Tensors } from '../engine/tensor.ts';
import { asSwitchbackError, SwitchbackError } from '../error.ts';
import { DEFAULT_TOLERANCE, type Golden, goldenDifference, goldenPortions, readGolden } from './golden.ts';
import { isBatchable, signatureDifference, unservableTensor } from './signature.ts';

/** For opening the graph, and for each portion of golden rows: not a request's deadline, which may be short. */
const LOAD_TIMEOUT_MS = 30_000;
const WARM_UP_RUNS = 3;

const MODEL = 'model.onnx';
const GOLDEN = 'golden.json';

export interface ArtifactPaths {
  model: string;
  golden: string;
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
 * Makes a blank engine ready to answer for a backend: load, compare signatures, ask the golden rows, warm up. The
 * golden rows are asked once for the same bytes; a replaced engine is only warmed up.
 */
export async function prepareEngine(
  engine: Engine,
  backend: Backend,
  paths: ArtifactPaths,
  isFirst: boolean,
): Promise<void> {
  await onTime('load', async () => {
    const { memoryBytes } = backend.limits;
    const graph = await engine.load({ path: paths.model, memoryBytes, timeoutMs: LOAD_TIMEOUT_MS });
    const difference = signatureDifference(backend.signature, graph);
    if (difference !== null)
      throw new SwitchbackError(
        'E_MODEL_SIGNATURE',
        `The signature is not the model's: ${difference}. Register the version anew.`,
      );
    refuseUnservable(backend);
  });
  const portions = goldenPortions(await readGolden(paths.golden), backend.signature, backend.limits.maxBatch);
  if (isFirst) await onTime('answer its golden rows', () => askGolden(engine, backend, portions));
  await onTime('warm up', () => warmUp(engine, oneRow(portions[0]!.inputs, backend)));
}

async function askGolden(engine: Engine, backend: Backend, portions: readonly Golden[]): Promise<void> {
  const tolerance = backend.artifacts[GOLDEN]?.tolerance ?? DEFAULT_TOLERANCE;
  for (const { inputs, outputs } of portions) {
    const got = await infer(engine, inputs);
    const difference = goldenDifference(got, outputs, tolerance);
    if (difference !== null)
      throw new SwitchbackError(
        'E_MODEL_GOLDEN',
        `The model does not give its golden answers: ${difference}.`,
      );
  }
}

async function infer(engine: Engine, inputs: Tensors): Promise<Tensors> {
  try {
    return await engine.infer(inputs, LOAD_TIMEOUT_MS);
  } catch (error) {
    const { code, message } = asSwitchbackError(error);
    if (code !== 'E_INTERNAL') throw error;
    throw new SwitchbackError('E_MODEL_GOLDEN', `The model refuses its golden rows: ${message}`, {
      cause: error,
    });
  }
}

/** The first runs of a graph allocate; nobody's request should wait for that. */
async function warmUp(engine: Engine, rows: Tensors): Promise<void> {
  for (let run = 0; run < WARM_UP_RUNS; run++) await infer(engine, rows);
}

function oneRow(inputs: Tensors, { signature }: Backend): Tensors {
  if (!isBatchable(signature)) return inputs;
  return new Map(
    [...inputs].map(([name, tensor]) => [name, sliceRows(tensor, 0, Math.min(1, tensor.shape[0] ?? 0))]),
  );
}

function refuseUnservable({ signature }: Backend): void {
  const tensor = unservableTensor(signature);
  if (tensor === null) return;
  const message = `Tensor "${tensor}" is FP16, which has no form in JSON: export the model with FP32 inputs and outputs.`;
  throw new SwitchbackError('E_MODEL_LOAD', message);
}

/** A model that can't be made ready in time is refused for good: it would only hang again. */
async function onTime(what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (asSwitchbackError(error).code !== 'E_ENGINE_TIMEOUT') throw error;
    const message = `The model did not ${what} within ${LOAD_TIMEOUT_MS / 1000} s, so its engine was killed.`;
    throw new SwitchbackError('E_MODEL_LOAD', message, { cause: error });
  }
}
