import type { Backend } from '@switchback-ml/schemas';
import { SwitchbackError } from '../../error.ts';
import type { DecodedRequest, Protocol } from '../../inference/call.ts';
import type { Golden } from '../../loading/golden.ts';

/** One request in the words of one protocol. */
export interface Draft {
  /** Of the form, as a key of OpenAPI's `examples`. */
  name: string;
  summary: string;
  contentType: string;
  /** What is no text is printed as JSON. */
  value: unknown;
}

/** An example that holds. */
export interface Example extends Draft {
  /** What the model answers to it, as JSON; undefined: nobody has said. */
  answer: unknown;
}

/** Those that the protocol takes for this revision, each with its answer: its own code decides, and prints. */
export function examplesThatHold(
  drafts: readonly Draft[],
  protocol: Protocol,
  model: string,
  backend: Backend,
  golden: Golden | null,
): Example[] {
  return drafts.flatMap(one => {
    const request = taken(one, protocol, backend);
    if (request === null) return [];
    return [{ ...one, answer: golden === null ? undefined : answerTo(request, model, backend, golden) }];
  });
}

function taken({ contentType, value }: Draft, protocol: Protocol, backend: Backend): DecodedRequest | null {
  const body = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
  try {
    const request = protocol.decode({
      body,
      header: name => (name === 'content-type' ? contentType : undefined),
    });
    request.read(backend);
    return request;
  } catch (error) {
    if (error instanceof SwitchbackError) return null;
    throw error;
  }
}

/** Undefined also where JSON as others read it would round it. */
function answerTo(request: DecodedRequest, model: string, backend: Backend, { outputs }: Golden): unknown {
  const isLong = (element: unknown): boolean =>
    typeof element === 'bigint' && !Number.isSafeInteger(Number(element));
  if ([...outputs.values()].some(({ data }) => Array.from<unknown>(data).some(isLong))) return undefined;
  const { body } = request.print({ model, backend, outputs, nonFinite: [] });
  return JSON.parse(body.toString()) as unknown;
}
