import {
  ARTIFACT_PATH,
  type Backend,
  type EnvironmentName,
  GoldenAnswers,
  type GoldenTensor,
  type ModelName,
  ServingSnapshot,
  type Signature,
  SNAPSHOT_PATH,
  type TensorSpec,
} from '@switchback-ml/schemas';

const TIMEOUT_MS = 5000;
/** Larger golden answers are not worth a wait: a body of zeros shows the form as well. */
const LARGEST_GOLDEN_BYTES = 2 * 2 ** 20;

export interface ExampleOptions {
  controllerUrl: string;
  runtimeToken: string;
  environment: EnvironmentName;
  model: ModelName;
  signal: AbortSignal;
}

/** A body that the model answers: the first golden row, else zeros in the form of its signature. Null: not served. */
export async function exampleRequest(options: ExampleOptions): Promise<object | null> {
  const path = SNAPSHOT_PATH.replace(':environment', options.environment);
  const snapshot = ServingSnapshot.safeParse(await fetchJson(path, options));
  const backends = snapshot.data?.routes[options.model]?.backends ?? [];
  const backend = backends.toSorted((a, b) => b.weight - a.weight)[0];
  if (backend === undefined) return null;
  const rows = (await goldenInputs(backend, options)) ?? zeros(backend.signature);
  return {
    inputs: Object.entries(rows).map(([name, { datatype, shape, data }]) => ({
      name,
      shape,
      datatype,
      data,
    })),
  };
}

async function goldenInputs(
  { artifacts, signature }: Backend,
  options: ExampleOptions,
): Promise<Record<string, GoldenTensor> | null> {
  const golden = artifacts['golden.json'];
  if (golden === undefined || golden.size > LARGEST_GOLDEN_BYTES) return null;
  const answers = GoldenAnswers.safeParse(
    await fetchJson(ARTIFACT_PATH.replace(':sha256', golden.sha256), options),
  );
  if (!answers.success) return null;
  const entries = Object.entries(answers.data.inputs).map(([name, tensor]) => {
    const wanted = signature.inputs[name]?.shape[0] ?? -1;
    return [name, firstRows(tensor, wanted > 0 ? wanted : 1)] as const;
  });
  return Object.fromEntries(entries);
}

function firstRows({ datatype, shape, data }: GoldenTensor, rows: number): GoldenTensor {
  const [all = 1, ...rest] = shape;
  return { datatype, shape: [rows, ...rest], data: data.slice(0, (data.length / all) * rows) };
}

function zeros({ inputs }: Signature): Record<string, GoldenTensor> {
  return Object.fromEntries(Object.entries(inputs).map(([name, spec]) => [name, zeroTensor(spec)]));
}

function zeroTensor({ datatype, shape }: TensorSpec): GoldenTensor {
  const one = shape.map(dimension => (dimension < 0 ? 1 : dimension));
  const count = one.reduce((product, size) => product * size, 1);
  const zero = datatype === 'BYTES' ? '' : datatype === 'BOOL' ? false : 0;
  return { datatype, shape: one.length > 0 ? one : [1], data: Array.from({ length: count }, () => zero) };
}

/** Null when it can't be had: an example is a courtesy. */
async function fetchJson(path: string, options: ExampleOptions): Promise<unknown> {
  const { controllerUrl, runtimeToken, signal } = options;
  try {
    const response = await fetch(new URL(path, controllerUrl), {
      headers: { authorization: `Bearer ${runtimeToken}` },
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      redirect: 'error',
    });
    return response.ok ? await response.json() : null;
  } catch {
    signal.throwIfAborted();
    return null;
  }
}
