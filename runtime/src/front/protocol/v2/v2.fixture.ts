import type { Backend, Datatype, TensorSpec } from '@switchback-ml/schemas';
import type { SwitchbackError } from '../../../error.ts';
import type { DecodedRequest, Message } from '../../../inference/call.ts';
import { ratioVersion } from '../../../serving.fixture.ts';
import { HEAD_LENGTH } from './head-length.ts';
import { decodeV2 } from './request.ts';

const Y: Record<string, TensorSpec> = { y: { datatype: 'FP32', shape: [-1, 1] } };

/** A revision that takes and gives these; up to 8 rows at a time. */
export function takes(
  inputs: Record<string, TensorSpec>,
  outputs: Record<string, TensorSpec> = Y,
  queueRows = 8,
): Backend {
  const { backend } = ratioVersion({
    label: '1.2.0',
    limits: { queueRows, maxBatch: Math.min(queueRows, 64) },
  });
  return { ...backend, signature: { inputs, outputs } };
}

/** One that takes "x". */
export function takesX(datatype: Datatype, ...shape: number[]): Backend {
  return takes({ x: { datatype, shape } });
}

export function x(datatype: string, shape: unknown[], data: unknown, more: object = {}): object {
  return { name: 'x', datatype, shape, data, ...more };
}

/** A body that is all JSON; what is no text is printed first. */
export function json(body: unknown): Message {
  const text = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  return { body: Buffer.from(text as string), header: () => undefined };
}

/** JSON, and what comes behind it; the header says where that begins, unless it is told otherwise. */
export function binary(head: object | string, parts: readonly Uint8Array[], header?: string): Message {
  const text = Buffer.from(typeof head === 'string' ? head : JSON.stringify(head));
  return {
    body: Buffer.concat([text, ...parts]),
    header: name => (name === HEAD_LENGTH ? (header ?? String(text.length)) : undefined),
  };
}

export function decode(body: unknown): DecodedRequest {
  return decodeV2(json(body));
}

/** What was thrown. */
export function refusal(act: () => unknown): SwitchbackError {
  try {
    act();
  } catch (error) {
    return error as SwitchbackError;
  }
  throw new Error('nothing was refused');
}
