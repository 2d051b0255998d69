import { flushCompileCache } from 'node:module';
import { Socket } from 'node:net';
import { SwitchbackError } from '../../error.ts';
import { preflight } from '../../preflight/preflight.ts';
import { type Command, encodeFrame, frameReader, packTensors, type Reply, unpackTensors } from './frame.ts';
import { openSession, type Session, SessionError } from './session.ts';

/*
 * The child program that holds ONNX Runtime. It starts blank, hears commands on descriptor 3 and answers them in
 * order. A run blocks this thread, which is why it has a process of its own. When its parent's end of stdin closes
 * nobody is left to answer to, and it exits.
 */
const CHANNEL = 3;

process.stdin.resume();
process.stdin.on('close', () => process.exit(0));
process.stdin.on('error', () => process.exit(0));

// Now, since most engines are ended before they could when they exit. Without a folder for it this does nothing.
flushCompileCache();
const channel = new Socket({ fd: CHANNEL, readable: true, writable: true });
channel.on('error', () => process.exit(0));
await serve(channel);
process.exit(0);

async function serve(socket: Socket): Promise<void> {
  const read = frameReader<Command>();
  let session: Session | null = null;
  send(socket, { kind: 'started' });

  for await (const chunk of socket) {
    for (const { head, body } of read(chunk as Buffer)) {
      try {
        if (head.kind === 'load') {
          preflight(head.path);
          session = await openSession(head.path);
          send(socket, { kind: 'loaded', signature: session.signature });
        } else if (session === null) {
          throw new SessionError('E_INTERNAL', 'the engine is blank');
        } else {
          const { tensors, parts } = packTensors(await session.run(unpackTensors(head.tensors, body)));
          send(socket, { kind: 'inferred', tensors }, parts);
        }
      } catch (error) {
        send(socket, failed(error));
      }
    }
  }
}

function send(socket: Socket, reply: Reply, parts: readonly Uint8Array[] = []): void {
  socket.cork();
  for (const chunk of encodeFrame(reply, parts)) socket.write(chunk);
  socket.uncork();
}

function failed(error: unknown): Reply {
  if (error instanceof SwitchbackError) return { kind: 'refused', message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  return { kind: 'failed', code: error instanceof SessionError ? error.code : 'E_INTERNAL', message };
}
