import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';
import { answerReader } from './answer-reader.ts';
import type { Histogram } from './histogram.ts';
import type { OpenOrder, OpenResult, Quantiles } from './open.ts';
import { type Line, OpenLoop } from './open-loop.ts';

/*
 * The child program that sends by a schedule. It sleeps at most a tenth of a millisecond at a time, because a timer of
 * Node may be a millisecond late, which is more than many an answer takes.
 */
const LONGEST_SLEEP_MS = 0.1;
const GRACE_MS = 10_000;
const sleeper = new Int32Array(new SharedArrayBuffer(4));

process.once('message', order => void run(order as OpenOrder));
process.once('disconnect', () => process.exit(0));

async function run(order: OpenOrder): Promise<void> {
  const result = await drive(order);
  process.send?.(result, () => process.exit(0));
}

function drive({ host, port, requests, connections, ...rest }: OpenOrder): Promise<OpenResult> {
  const startAt = performance.now() + 50;
  const sockets = new Set<() => void>();
  const open = (): Line | null => {
    if (sockets.size >= connections) return null;
    const socket = connect({ host, port, noDelay: true });
    const read = answerReader();
    const line: Line = { send: request => void socket.write(requests[request % requests.length]!) };
    const close = (): void => {
      sockets.delete(close);
      socket.destroy();
    };
    const drop = (why: string): void => {
      loop.breakOff(line, why);
      close();
    };
    socket.on('data', chunk => {
      try {
        const end = read(chunk);
        if (end === null) return;
        loop.answer(line, end.status, end.isOpen, performance.now());
        if (!end.isOpen) close();
      } catch {
        drop('no HTTP');
      }
    });
    socket.on('error', error => drop((error as NodeJS.ErrnoException).code ?? 'broken connection'));
    socket.on('close', () => drop('closed connection'));
    sockets.add(close);
    return line;
  };
  const loop = new OpenLoop({ ...rest, open }, startAt);
  let giveUpAt = startAt + rest.forMs + GRACE_MS;
  process.once('message', () => {
    loop.stop(performance.now());
    giveUpAt = performance.now() + GRACE_MS;
  });
  return new Promise(resolve => {
    const turn = (): void => {
      const now = performance.now();
      loop.pump(now);
      if (now > giveUpAt) loop.giveUp();
      if (loop.isDone) {
        for (const close of [...sockets]) close();
        return resolve(resultOf(loop, rest.windowMs));
      }
      const sleepMs = Math.min(LONGEST_SLEEP_MS, loop.nextAt - performance.now());
      if (sleepMs > 0) Atomics.wait(sleeper, 0, 0, sleepMs);
      setImmediate(turn);
    };
    turn();
  });
}

function resultOf(loop: OpenLoop, windowMs: number): OpenResult {
  return {
    sent: loop.sent,
    answered: quantiles(loop.answered),
    turnedAway: quantiles(loop.turnedAway),
    failed: Object.fromEntries(loop.failures),
    latenessP99Ms: loop.lateness.quantile(0.99) / 1000,
    windows: loop.windows.map(({ answered, failed }, index) => ({
      atMs: index * windowMs,
      answered: answered.total,
      p50Ms: answered.quantile(0.5) / 1000,
      p99Ms: answered.quantile(0.99) / 1000,
      failed,
    })),
  };
}

function quantiles(histogram: Histogram): Quantiles {
  const at = (share: number): number => histogram.quantile(share) / 1000;
  return {
    count: histogram.total,
    p50Ms: at(0.5),
    p95Ms: at(0.95),
    p99Ms: at(0.99),
    p999Ms: at(0.999),
    mostMs: histogram.largest / 1000,
  };
}
