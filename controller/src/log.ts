import { type Logger, pino } from 'pino';

/** Messages are constant sentences; what varies is a field. error: a person must act. warn: handled. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

export function makeLog(level: string): Logger {
  return pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: label => ({ level: label }) },
  });
}
