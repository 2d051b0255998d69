import { once } from 'node:events';
import { type Logger, pino } from 'pino';

/** error: a person must act. warn: degraded but handled. info: one line a change of the world. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

/** JSON lines on stdout, written before the call returns, so that the last line of a crash is not lost. */
export function makeLog(fields: Record<string, unknown>): Log {
  const destination = pino.destination({ dest: 1, sync: true });
  return pino({ base: fields, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}

export const silentLog: Log = pino({ level: 'silent' });

/** For lines of which there may be many: none of them is worth a wait. */
export interface AsyncLog extends Log, AsyncDisposable {
  /** Lines that nobody took in time. */
  readonly dropped: number;
}

export interface AsyncLogOptions {
  /** A file, or the number of a descriptor that is open. */
  dest: string | number;
  /** That may wait to be written; lines beyond are dropped. */
  mostBytes: number;
}

/** Whole lines go into one write up to this size, which pipes keep apart from the writes of others. */
const WRITE_BYTES = 4096;
/** How long the last lines may take. */
const CLOSE_MS = 1000;

/** JSON lines, written when there is time. Disposing writes what waits, within a bound. */
export function makeAsyncLog(
  fields: Record<string, unknown>,
  { dest, mostBytes }: AsyncLogOptions,
): AsyncLog {
  const destination = pino.destination({ dest, sync: false, maxLength: mostBytes, maxWrite: WRITE_BYTES });
  let dropped = 0;
  destination.on('drop', () => dropped++);
  // What can't be written now is kept and tried again with the next line.
  destination.on('error', () => {});
  const log = pino({ base: fields, timestamp: pino.stdTimeFunctions.isoTime }, destination);
  return {
    debug: log.debug.bind(log),
    info: log.info.bind(log),
    warn: log.warn.bind(log),
    error: log.error.bind(log),
    get dropped() {
      return dropped;
    },
    async [Symbol.asyncDispose]() {
      const closed = once(destination, 'close', { signal: AbortSignal.timeout(CLOSE_MS) });
      destination.end();
      await closed.catch(() => destination.destroy());
    },
  };
}
