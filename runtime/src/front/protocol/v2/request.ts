import type { Backend } from '@switchback-ml/schemas';
import type { Answer, DecodedRequest, InferenceInput, Message, Reply } from '../../../inference/call.ts';
import { readTensors } from '../tensors/given.ts';
import { refuseUnanswerable } from './asked.ts';
import { HEAD_LENGTH, headLength } from './head-length.ts';
import { parseRequest } from './parse.ts';
import { RawRequest } from './raw.ts';
import { printResponse } from './response.ts';
import type { Said } from './said.ts';
import { scanRequest } from './scan.ts';

/** Its tensors are not yet read: what they must be depends on the revision that answers. */
export class V2Request implements DecodedRequest {
  readonly timeoutMs: number | null;
  readonly priority: number;
  readonly #said: Said;

  constructor(said: Said) {
    this.timeoutMs = said.timeoutMs;
    this.priority = said.priority;
    this.#said = said;
  }

  read(backend: Backend): InferenceInput {
    refuseUnanswerable(this.#said, backend);
    return readTensors(this.#said.inputs, backend);
  }

  print(answer: Answer): Reply {
    return printResponse(this.#said, answer);
  }
}

/** Throws E_BODY for what is no request at all, E_INPUT for an input that is none. */
export function decodeV2(message: Message): DecodedRequest {
  const { body } = message;
  const length = headLength(message.header(HEAD_LENGTH), body.length);
  if (length === 0) return new RawRequest(body);
  const end = length ?? body.length;
  return new V2Request(scanRequest(body, end) ?? parseRequest(body, length));
}
