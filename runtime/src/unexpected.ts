import { messageOf } from './error.ts';
import type { Log } from './log.ts';

export type UnexpectedKind = 'rejection' | 'exception';

export interface Unexpected extends Disposable {
  /** Aborts with the first exception that nobody caught. */
  fatal: AbortSignal;
}

/**
 * Isolates what a fault of ours throws where nobody waits for it. A rejection that nobody awaited is one lost task:
 * it is told and counted, and serving goes on, because ending would fail everybody's requests for it. An exception
 * that nobody caught has unwound through code that did not expect it, so what that code held may be half done: the
 * process still answers what it has, then ends to be started anew.
 */
export function watchUnexpected(log: Log, onUnexpected: (kind: UnexpectedKind) => void): Unexpected {
  const fatal = new AbortController();
  const tell = (kind: UnexpectedKind, error: unknown): void => {
    const fields = {
      kind,
      reason: messageOf(error),
      stack: error instanceof Error ? error.stack : undefined,
    };
    log.error(fields, 'unexpected failure outside of any request');
    onUnexpected(kind);
  };
  const onRejection = (error: unknown): void => tell('rejection', error);
  const onException = (error: unknown): void => {
    tell('exception', error);
    fatal.abort(error);
  };
  process.on('unhandledRejection', onRejection).on('uncaughtException', onException);
  return {
    fatal: fatal.signal,
    [Symbol.dispose]() {
      process.off('unhandledRejection', onRejection).off('uncaughtException', onException);
    },
  };
}
