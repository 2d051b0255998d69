import { type IncomingMessage, request as send } from 'node:http';
import type { Member } from '../fleet/member.ts';
import type { Loss } from '../fleet/upstream.ts';
import { CONNECT_TIMEOUT_MS } from '../limits.ts';

export interface Outgoing {
  method: string;
  path: string;
  /** Names and values in turn. */
  headers: string[];
  body: Buffer;
}

export type Attempt =
  | {
      kind: 'answer';
      answer: IncomingMessage /** There already whole; null: still to be read. */;
      body: Buffer | null;
    }
  | { kind: 'lost'; why: Loss };

/** Sends a request to a runtime by Node's own client. Never rejects; the signal gives it up. */
export async function attempt(member: Member, outgoing: Outgoing, signal: AbortSignal): Promise<Attempt> {
  const { host, port } = member.place;
  const { method, path, headers, body } = outgoing;
  const answered = Promise.withResolvers<Attempt>();
  const sent = send({ host, port, method, path, headers, agent: member.agent, signal });
  let isConnected = false;
  const patience = setTimeout(() => {
    if (!isConnected) sent.destroy(new Error('no connection in time'));
  }, CONNECT_TIMEOUT_MS);
  sent.on('socket', socket => {
    if (socket.connecting) socket.once('connect', () => (isConnected = true));
    else isConnected = true;
  });
  sent.on('response', answer => answered.resolve({ kind: 'answer', answer, body: null }));
  sent.on('error', () =>
    answered.resolve({ kind: 'lost', why: signal.aborted ? 'cut' : isConnected ? 'broken' : 'refused' }),
  );
  sent.end(body);
  const result = await answered.promise;
  clearTimeout(patience);
  return result;
}

/** The body of an answer that says it is small; null where it broke off. */
export async function smallBody(answer: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of answer) chunks.push(chunk);
  } catch {
    return null;
  }
  return Buffer.concat(chunks);
}
