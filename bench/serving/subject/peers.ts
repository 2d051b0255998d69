import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Sample } from '../model/sample.ts';
import { type Encoding, HEAD_LENGTH, type Message, readV2, shortest, v2Request } from '../v2.ts';
import type { Peer } from './peer.ts';

const FOLDER = fileURLToPath(new URL('../peer', import.meta.url));

/**
 * Other servers of models, from their registry, each as its documents say that it is fastest. Where they leave a
 * choice there are several settings, and the fastest of a short trial is measured.
 */
export const PEERS: readonly Peer[] = [
  {
    name: 'mlserver',
    label: 'MLServer',
    settings: [
      { what: 'parallel_workers 0, no batching', env: { MLSERVER_PARALLEL_WORKERS: '0' }, batch: 1 },
      { what: 'parallel_workers 0, adaptive batching', env: { MLSERVER_PARALLEL_WORKERS: '0' }, batch: 64 },
    ],
    files: ({ model }, { batch }) => ({
      'model-settings.json': JSON.stringify({
        name: model.name,
        implementation: 'serve_mlserver.OnnxModel',
        ...(batch > 1 && { max_batch_size: batch, max_batch_time: 0.001 }),
      }),
    }),
    command: ({ python, folder }) => [join(python, 'mlserver'), 'start', folder],
    env: port => ({
      MLSERVER_DEBUG: 'false',
      MLSERVER_HOST: '127.0.0.1',
      MLSERVER_HTTP_PORT: String(port),
      MLSERVER_GRPC_PORT: String(port + 1),
      MLSERVER_METRICS_PORT: String(port + 2),
    }),
    readyPath: () => '/v2/health/ready',
    ...v2Dialect(['json']),
  },
  {
    name: 'kserve',
    label: 'KServe Python server',
    settings: [
      { what: '1 worker', env: { BENCH_WORKERS: '1' }, batch: 1 },
      { what: '2 workers', env: { BENCH_WORKERS: '2' }, batch: 1 },
    ],
    command: ({ python }) => [join(python, 'python'), join(FOLDER, 'kserve', 'serve.py')],
    readyPath: ({ model }) => `/v2/models/${model.name}/ready`,
    ...v2Dialect(['json', 'binary']),
  },
  {
    name: 'litserve',
    label: 'LitServe',
    settings: [
      { what: '2 workers, no batching, fast_queue', env: { BENCH_WORKERS: '2', BENCH_BATCH: '1' }, batch: 1 },
      {
        what: '1 worker, batches of what waits, fast_queue',
        env: { BENCH_WORKERS: '1', BENCH_BATCH: '64' },
        batch: 64,
      },
    ],
    command: ({ python }) => [join(python, 'python'), join(FOLDER, 'litserve', 'serve.py')],
    readyPath: () => '/health',
    ...ownDialect(
      '/predict',
      rows => ({ input: rows }),
      answer => (answer as { output: number[][] }).output,
    ),
  },
  {
    name: 'bentoml',
    label: 'BentoML',
    settings: [
      { what: '2 workers, no batching', env: { BENCH_WORKERS: '2', BENCH_BATCH: '1' }, batch: 1 },
      { what: '1 worker, adaptive batching', env: { BENCH_WORKERS: '1', BENCH_BATCH: '64' }, batch: 64 },
    ],
    command: ({ python, port }) => [
      join(python, 'bentoml'),
      ...['serve', 'serve_bentoml:Onnx', '--host', '127.0.0.1', '--port', String(port)],
    ],
    readyPath: () => '/readyz',
    ...ownDialect(
      '/predict',
      rows => ({ input: rows }),
      answer => answer as number[][],
    ),
  },
  {
    name: 'mlflow',
    label: 'MLflow models serve',
    settings: [
      { what: '1 worker', env: { BENCH_WORKERS: '1' }, batch: 1 },
      { what: '2 workers', env: { BENCH_WORKERS: '2' }, batch: 1 },
    ],
    prepare: ({ python }) => [join(python, 'python'), join(FOLDER, 'mlflow', 'save.py')],
    command: ({ python, port, folder, setting }) => [
      join(python, 'mlflow'),
      ...['models', 'serve', '--model-uri', join(folder, 'saved'), '--env-manager', 'local'],
      ...['--host', '127.0.0.1', '--port', String(port), '--workers', setting.env['BENCH_WORKERS'] ?? '1'],
    ],
    readyPath: () => '/ping',
    ...ownDialect(
      '/invocations',
      rows => ({ inputs: rows }),
      answer => (answer as { predictions: { output: number[][] } }).predictions.output,
    ),
  },
];

type Speech = Pick<Peer, 'speaks' | 'path' | 'message' | 'read'>;

function v2Dialect(speaks: readonly Encoding[]): Speech {
  return {
    speaks,
    path: ({ model }) => `/v2/models/${model.name}/infer`,
    message: v2Request,
    read: (body, headers) => readV2(body, headers.get(HEAD_LENGTH)),
  };
}

/** Of those with a JSON of their own: one row, nested as the model's input is. */
function ownDialect(
  path: string,
  toBody: (rows: unknown[]) => unknown,
  fromBody: (answer: unknown) => number[][],
): Speech {
  const message = ({ model }: Sample, row: Float32Array): Message => ({
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(toBody([nested(shortest(row), model.inputShape)]))),
  });
  return {
    speaks: ['json'],
    path: () => path,
    message,
    read: body => fromBody(JSON.parse(body.toString())).flat(),
  };
}

function nested(values: readonly number[], [first = 1, ...rest]: readonly number[]): unknown {
  if (rest.length === 0) return values;
  const each = values.length / first;
  return Array.from({ length: first }, (_, at) => nested(values.slice(at * each, (at + 1) * each), rest));
}
