import { type Logger, pino } from 'pino';

/** error: a person must act. warn: degraded but handled. info: one line a change of the world. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

/** JSON lines on stdout, written before the call returns, so that the last line of a crash is not lost. */
export function makeLog(fields: Record<string, unknown>): Log {
  const destination = pino.destination({ dest: 1, sync: true });
  return pino({ base: fields, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}

export const silentLog: Log = pino({ level: 'silent' });
