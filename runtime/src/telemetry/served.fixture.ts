import type { Backend } from '@switchback-ml/schemas';
import type { Carrier, Served } from './served.ts';

export const REVISION = 'aaaaaaaaaaaa-bbbbbbbb';
export const COMMIT = 'c'.repeat(40);

/** As much of a backend as measuring looks at. */
export function backend(version = '1', more: Partial<Backend> = {}): Backend {
  return { version, revision: REVISION, digest: `sha256:${'4'.repeat(64)}`, ...more } as Backend;
}

/** An answered request of one row that had a batch to itself. */
export function served(more: Partial<Served> = {}): Served {
  return {
    model: 'fraud',
    id: null,
    commit: COMMIT,
    backend: backend(),
    protocol: 'v2',
    by: 'weight',
    code: null,
    from: 'engine',
    rows: 1,
    batchRows: 1,
    batch: null,
    attempts: 1,
    failed: null,
    stages: { parseMs: 0.02, queueMs: 0.5, batchMs: 0.4, runMs: 2, encodeMs: 0.01 },
    totalMs: 3,
    bytesIn: 300,
    bytesOut: 200,
    ...more,
  };
}

export function carrying(headers: Record<string, string> = {}): Carrier {
  return { header: name => headers[name] };
}
