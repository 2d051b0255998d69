import type { Backend, CachePolicy } from '@switchback-ml/schemas';
import type { CachedReply, ReplyCache, ReplySource } from '../cache/cache.ts';
import type { InferenceCall } from './call.ts';
import type { Journey } from './journey.ts';
import { type InferenceOutcome, LOST_ENGINE } from './outcome.ts';

export interface Remembering {
  cache: ReplyCache;
  policy: CachePolicy;
  /** Who answers where nothing is remembered. */
  backend: Backend;
  /** Answers by running. */
  make: () => Promise<InferenceOutcome>;
}

/** The remembered answer to the same bytes from the same revision, else a new one. Rejects as `make` does. */
export async function remembered(
  { cache, policy, backend, make }: Remembering,
  call: InferenceCall,
  journey: Journey,
): Promise<InferenceOutcome> {
  let own: InferenceOutcome | undefined;
  try {
    const found = await cache.through(keyOf(call, backend), policy, async () => {
      own = await make();
      return worthKeeping(own, backend);
    });
    if (own !== undefined || found === null) return own!;
    journey.from = sources[found.from];
    return { kind: 'answered', backend, journey, reply: found.reply };
  } catch (thrown) {
    // Our own outcome stands, though its error was thrown on to those who waited for the same answer.
    if (own !== undefined) return own;
    throw thrown;
  }
}

const sources = { memory: 'memory', redis: 'redis', shared: 'shared', made: 'engine' } satisfies Record<
  ReplySource,
  Journey['from']
>;

function keyOf({ model, message, protocol }: InferenceCall, { revision, digest }: Backend) {
  return {
    model,
    revision,
    digest,
    encoding: `${protocol.name} ${protocol.encoding(message)}`,
    body: message.body,
  };
}

/**
 * An answer of that very revision with nothing but numbers in it. Throws the error of an engine that failed: whether
 * others who wait for the same answer share it is for the cache to say.
 */
function worthKeeping(outcome: InferenceOutcome, backend: Backend): CachedReply | null {
  if (outcome.kind === 'failed' && LOST_ENGINE.has(outcome.error.code)) throw outcome.error;
  if (outcome.kind !== 'answered' || outcome.backend !== backend || outcome.journey.isNonFinite) return null;
  const { headers, body } = outcome.reply;
  return { headers, body: typeof body === 'string' ? Buffer.from(body) : body };
}
