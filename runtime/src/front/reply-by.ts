import type { Backend } from '@switchback-ml/schemas';
import type { FastifyReply } from 'fastify';
import { answeredBy } from '../telemetry/answered-by.ts';

/** The same reply, naming which revision it is about. */
export type ReplyBy = (backend: Backend, reply: FastifyReply) => FastifyReply;

/** `commit`: of the snapshot that is served from; undefined while there is none. */
export function replyBy(commit: () => string | undefined): ReplyBy {
  const toldBy = answeredBy();
  return (backend, reply) => {
    const headers = toldBy(backend, commit());
    for (let index = 0; index < headers.length; index += 2)
      reply.header(headers[index]!, headers[index + 1]!);
    return reply;
  };
}
