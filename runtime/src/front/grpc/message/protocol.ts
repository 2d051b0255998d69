import type { Protocol } from '../../../inference/call.ts';
import { decodeRequest } from './request.ts';
import { WireReader } from './wire-reader.ts';

/** The Open Inference Protocol, version 2, as gRPC messages. */
export const grpcMessages: Protocol = {
  name: 'v2-grpc',
  decode: decodeRequest,
  encoding: () => 'v2-grpc',
};

/** Longer ones are none that anything here is called. */
const MOST_NAME_BYTES = 300;

export interface Address {
  model: string;
  version: string | null;
}

/** Where a ModelInferRequest goes, which it says itself. Reads nothing else. Throws E_BODY for what is no message. */
export function readAddress(body: Buffer): Address {
  const fields = new WireReader(body);
  let model = '';
  let version = '';
  while (fields.next()) {
    if (fields.number === 1) model = fields.text(MOST_NAME_BYTES);
    else if (fields.number === 2) version = fields.text(MOST_NAME_BYTES);
  }
  return { model, version: version === '' ? null : version };
}
