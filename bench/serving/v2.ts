import type { Sample } from './model/sample.ts';

/*
 * The Open Inference Protocol as its callers write it: one row a request, in JSON or with binary tensors.
 */
export type Encoding = 'json' | 'binary';

export const HEAD_LENGTH = 'inference-header-content-length';

export interface Message {
  headers: Readonly<Record<string, string>>;
  body: Buffer;
}

export function v2Request({ model }: Sample, row: Float32Array, encoding: Encoding): Message {
  const tensor = { name: 'input', shape: [1, ...model.inputShape], datatype: 'FP32' };
  if (encoding === 'json') return jsonMessage({ inputs: [{ ...tensor, data: shortest(row) }] });
  const raw = bytesOf(row);
  const head = {
    inputs: [{ ...tensor, parameters: { binary_data_size: raw.length } }],
    parameters: { binary_data_output: true },
  };
  return binaryMessage(head, raw);
}

/** What a server answers to it: for those that do no inference. */
export function v2Response({ model }: Sample, answer: Float32Array, encoding: Encoding): Message {
  const named = { model_name: model.name, model_version: '1.0.0' };
  const tensor = { name: 'output', shape: [1, model.outputs], datatype: 'FP32' };
  if (encoding === 'json') return jsonMessage({ ...named, outputs: [{ ...tensor, data: shortest(answer) }] });
  const raw = bytesOf(answer);
  return binaryMessage(
    { ...named, outputs: [{ ...tensor, parameters: { binary_data_size: raw.length } }] },
    raw,
  );
}

/** The values of the only output. Throws where there is none. */
export function readV2(body: Buffer, headLength: string | null): number[] {
  const length = headLength === null ? body.length : Number(headLength);
  const head = JSON.parse(body.subarray(0, length).toString()) as { outputs: { data?: number[] }[] };
  const data = head.outputs[0]?.data;
  if (data !== undefined) return data.flat();
  const raw = Uint8Array.from(body.subarray(length));
  return [...new Float32Array(raw.buffer)];
}

/** As few digits as read back as the same 32 bits: what a careful caller sends. */
export function shortest(values: Float32Array): number[] {
  return Array.from(values, value => {
    for (let digits = 6; digits < 9; digits++) {
      const short = Number(value.toPrecision(digits));
      if (Math.fround(short) === value) return short;
    }
    return Number(value.toPrecision(9));
  });
}

function jsonMessage(json: unknown): Message {
  return { headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(json)) };
}

function binaryMessage(head: unknown, raw: Buffer): Message {
  const json = Buffer.from(JSON.stringify(head));
  return {
    headers: { 'content-type': 'application/octet-stream', [HEAD_LENGTH]: String(json.length) },
    body: Buffer.concat([json, raw]),
  };
}

function bytesOf(values: Float32Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}
