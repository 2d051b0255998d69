import type { DecodedRequest, Message } from '../../../inference/call.ts';
import { HEAD_LENGTH, headLength } from './head-length.ts';
import { parseRequest } from './parse.ts';
import { RawRequest } from './raw.ts';
import { scanRequest } from './scan.ts';
import { V2Request } from './v2-request.ts';

/** Throws E_BODY for what is no request at all, E_INPUT for an input that is none. */
export function decodeV2(message: Message): DecodedRequest {
  const { body } = message;
  const length = headLength(message.header(HEAD_LENGTH), body.length);
  if (length === 0) return new RawRequest(body);
  return scanRequest(body, length ?? body.length) ?? new V2Request(parseRequest(body, length));
}
