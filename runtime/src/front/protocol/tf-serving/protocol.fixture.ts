import type { Backend, TensorSpec } from '@switchback-ml/schemas';
import type { SwitchbackError } from '../../../error.ts';
import type { Message } from '../../../inference/call.ts';
import { ratioVersion } from '../../../serving.fixture.ts';

const ONE_OUTPUT: Record<string, TensorSpec> = { y: { datatype: 'FP32', shape: [-1, 1] } };

/** A backend that takes these inputs and gives these outputs. */
export function backendOf(
  inputs: Record<string, TensorSpec>,
  outputs: Record<string, TensorSpec> = ONE_OUTPUT,
): Backend {
  return { ...ratioVersion().backend, signature: { inputs, outputs } };
}

export function messageOf(body: string | Uint8Array, headers: Record<string, string> = {}): Message {
  return { body: Buffer.from(body), header: name => headers[name] };
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
