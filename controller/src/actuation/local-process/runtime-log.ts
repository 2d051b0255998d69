import type { EnvironmentName } from '@switchback-ml/schemas';
import { messageOf } from '../../error.ts';
import type { Log } from '../../log.ts';

/** Every line about one environment's runtime, so that words and levels are seen together. */
export function runtimeLog(log: Log, environment: EnvironmentName) {
  return {
    spawned: (pid: number, port: number) => log.info({ environment, pid, port }, 'runtime was spawned'),
    lost: (pid: number | null, reason: string, crashes: number) =>
      log.warn({ environment, pid, reason, crashes }, 'runtime was lost and will be replaced'),
    portTaken: (taken: number, port: number) =>
      log.warn({ environment, taken, port }, 'runtime moves to another port: its own is taken'),
    notWritten: (error: unknown) =>
      log.warn({ environment, reason: messageOf(error) }, 'runtime could not be written down'),
    notLookedAfter: (error: unknown) =>
      log.warn({ environment, reason: messageOf(error) }, 'runtime could not be looked after'),
    notKilled: (pid: number) => log.error({ environment, pid }, 'runtime can not be killed'),
  };
}
