import { Server } from 'node:net';

/** A pass of the event loop that took no longer has seen whoever had come by its end. */
const BRIEF_MS = 0.5;
/** Two, because the first may have begun after its look at new connections. */
const BRIEF_PASSES = 2;
/** With connections coming faster than they can be taken, or no brief pass in sight, waiting longer would not help. */
const AT_MOST = { passes: 2000, ms: 250 };

/**
 * Stops a server taking new connections and touches none of those that it has; the system deals what comes from now on
 * to whoever else listens on the port. What it had dealt to us before waits in the queue of our socket and would be
 * reset with it, so that is taken first: Node takes one connection a pass of its event loop. Between the last look and
 * the end of the socket some 30 µs remain (measured), and the handshakes under way; what comes in them is handed over
 * only where the system has `net.ipv4.tcp_migrate_req` set.
 */
export function leavePort(server: Server): Promise<void> {
  if (!server.listening) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  let hasTaken = false;
  let passes = 0;
  let brief = 0;
  const from = performance.now();
  let began = from;
  const onConnection = (): void => {
    hasTaken = true;
  };
  const onPass = (): void => {
    const now = performance.now();
    brief = !hasTaken && now - began < BRIEF_MS ? brief + 1 : 0;
    if (brief < BRIEF_PASSES && ++passes < AT_MOST.passes && now - from < AT_MOST.ms) {
      hasTaken = false;
      began = now;
      setImmediate(onPass);
      return;
    }
    // That of an HTTP server would close its idle connections too, on which a next request may be on its way.
    Server.prototype.close.call(server);
    server.off('connection', onConnection);
    resolve();
  };
  server.on('connection', onConnection);
  setImmediate(onPass);
  return promise;
}
