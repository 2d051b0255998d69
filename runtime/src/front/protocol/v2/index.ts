import type { Backend } from '@switchback-ml/schemas';
import type { SwitchbackError } from '../../../error.ts';
import type { Reply } from '../../../inference/call.ts';
import { targetOf } from '../address.ts';
import type { FindTarget, HttpProtocol } from '../http.ts';
import { withExample } from './example.ts';
import { HEAD_LENGTH } from './head-length.ts';
import { decodeV2 } from './request.ts';

const JSON_HEADERS = ['content-type', 'application/json'];
const LONGEST_LENGTH = 20;

/** The Open Inference Protocol, version 2, as bodies. */
export const v2: HttpProtocol = {
  name: 'v2',
  decode: decodeV2,
  encoding: message => {
    const length = message.header(HEAD_LENGTH);
    return length === undefined ? 'v2' : `v2 ${length.slice(0, LONGEST_LENGTH)}`;
  },
  printError,
};

const ADDRESS = /^\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?\/infer\/?$/;

export const findV2: FindTarget = path => {
  const found = ADDRESS.exec(path);
  return found === null ? null : targetOf(v2, found[1], found[2]);
};

/** With a body that would have worked, where the body was wrong and the revision that it was for is known. */
function printError(error: SwitchbackError, backend: Backend | null = null): Reply {
  const { message, code, details } = backend === null ? error : withExample(error, backend);
  const hasDetails = Object.keys(details).length > 0;
  const body = JSON.stringify({ error: message, code, ...(hasDetails && { details }) });
  return { headers: JSON_HEADERS, body };
}
