import { isFixed, type Tensor, type Tensors } from '../../engine/tensor.ts';

/** As long as any protocol takes one. */
const LONGEST_ID = 256;

/** One request that could be read, with what was asked and what was said. */
export interface Payload {
  /** As the caller was told it: what joins a label that is known later. Null: it was not answered, so nobody was. */
  predictionId: string | null;
  /** As the caller named the request, in any text; null: it did not. */
  id: string | null;
  /** Why it was not answered by this revision; null: it was. */
  code: string | null;
  /** Of the snapshot that was served when it came; null: there was none yet. */
  commit: string | null;
  model: string;
  version: string;
  revision: string;
  inputs: Tensors;
  /** None where it was not answered. */
  outputs: Tensors;
}

/** Tensors of these names keep their values to themselves; `all`: every tensor does. */
export type Redaction = 'all' | ReadonlySet<string>;

/** One JSON line, its end included. Tensors stand in a list, since a graph may call one `__proto__`. */
export function printPayload(payload: Payload, atMs: number, redaction: Redaction): string {
  const { predictionId, id, code, commit, model, version, revision, inputs, outputs } = payload;
  const line = {
    at: new Date(atMs).toISOString(),
    ...(predictionId !== null && { predictionId }),
    ...(id !== null && { id: id.slice(0, LONGEST_ID) }),
    ...(code !== null && { code }),
    model,
    version,
    revision,
    ...(commit !== null && { commit }),
    inputs: Array.from(inputs, ([name, tensor]) => shown(name, tensor, redaction)),
    outputs: Array.from(outputs, ([name, tensor]) => shown(name, tensor, redaction)),
  };
  return `${JSON.stringify(line)}\n`;
}

/** Roughly the bytes of its line, without printing it. */
export function estimateBytes({ inputs, outputs }: Payload): number {
  let bytes = 500;
  for (const tensors of [inputs, outputs])
    for (const { data } of tensors.values()) {
      if (isFixed(data)) bytes += data.length * 12;
      else for (const text of data) bytes += text.length + 3;
    }
  return bytes;
}

function shown(name: string, { datatype, shape, data }: Tensor, redaction: Redaction): object {
  const isRedacted = redaction === 'all' || redaction.has(name);
  return {
    name,
    datatype,
    shape,
    ...(isRedacted ? { redacted: true } : { data: Array.from(data, element) }),
  };
}

/** 64-bit integers as text, since JSON's readers round them; what JSON has no number for as text, too. */
function element(value: number | bigint | string): number | string {
  if (typeof value === 'bigint') return String(value);
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}
