import { toBinary } from './datatypes.ts';
import type { Answer } from './server.ts';
import type { Subject } from './subject.ts';
import type { InferRequest, Input } from './v2.ts';

const HEAD_LENGTH = 'inference-header-content-length';

/** A request of the binary extension, whole or bent. */
export interface BinaryRequest {
  request: InferRequest;
  /** Behind the JSON, in order. */
  tensors: Buffer;
}

/** The same request with these inputs behind the JSON. */
export function inBinary(
  sample: InferRequest,
  isBinary: (input: Input, at: number) => boolean,
): BinaryRequest {
  const carried = sample.inputs.filter(isBinary).map(toBinary);
  let next = 0;
  const inputs = sample.inputs.map((input, at) => {
    if (!isBinary(input, at)) return input;
    const { data: _, ...rest } = input;
    return { ...rest, parameters: { ...input.parameters, binary_data_size: carried[next++]!.length } };
  });
  return { request: { ...sample, inputs }, tensors: Buffer.concat(carried) };
}

/** `headLength` instead of the true one, where it is given. */
export function inferBinary(
  { server, path }: Pick<Subject, 'server' | 'path'>,
  { request, tensors }: BinaryRequest,
  headLength?: string,
): Promise<Answer> {
  const head = Buffer.from(JSON.stringify(request));
  return server.ask(`${path}/infer`, {
    method: 'POST',
    headers: {
      'content-type': 'application/octet-stream',
      [HEAD_LENGTH]: headLength ?? String(head.length),
    },
    body: Buffer.concat([head, tensors]),
  });
}
