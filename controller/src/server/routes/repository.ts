import { CommitSha } from '@switchback-ml/schemas';
import { z } from 'zod';
import { SwitchbackError } from '../../error.ts';
import { type Endpoint, endpoint } from '../route.ts';
import type { ServerWorld } from '../world.ts';
import { Words } from './words.ts';

const Body = Words.extend({
  /** Exactly where the rewritten ref was seen, so that nobody accepts what came after. */
  head: CommitSha,
});

/** A person's word that a rewritten history is meant. */
export function acceptRewrite(world: ServerWorld): Endpoint {
  return endpoint({
    summary: 'Go on from a history that was rewritten',
    body: Body,
    answers: { accepted: z.object({ did: z.string() }) },
    handle: async ({ body: { head, by, reason } }) => {
      const rewrite = world.repository.contact().failure?.rewritten;
      if (rewrite?.after !== head)
        throw new SwitchbackError(
          'E_CONFLICT',
          `No rewritten history stands at ${head.slice(0, 7)} now. Look again: switchback status.`,
        );
      await world.requests.ask({ kind: 'accept-rewrite', rewrite, by, reason });
      return { kind: 'accepted', body: { did: `${rewrite.ref} goes on from ${head.slice(0, 7)}` } };
    },
  });
}
