import { messageOf } from '../../error.ts';
import type { Log } from '../../log.ts';
import type { ReplicaId } from './process-record.ts';

export type RuntimeLog = ReturnType<typeof runtimeLog>;

/** Every line about one runtime, so that words and levels are seen together. */
export function runtimeLog(log: Log, { environment, replica }: ReplicaId) {
  return {
    spawned: (pid: number, port: number) =>
      log.info({ environment, replica, pid, port }, 'runtime was spawned'),
    lost: (pid: number | null, reason: string, crashes: number) =>
      log.warn({ environment, replica, pid, reason, crashes }, 'runtime was lost and will be replaced'),
    portTaken: (taken: number, port: number) =>
      log.warn({ environment, replica, taken, port }, 'runtime moves to another port: its own is taken'),
    notWritten: (error: unknown) =>
      log.warn({ environment, replica, reason: messageOf(error) }, 'runtime could not be written down'),
    notLookedAfter: (error: unknown) =>
      log.warn({ environment, replica, reason: messageOf(error) }, 'runtime could not be looked after'),
    stays: (reason: string) =>
      log.error(
        { environment, replica, reason },
        'runtime is outdated and stays: those that shall follow it do not serve; see their logs',
      ),
    notKilled: (pid: number) => log.error({ environment, replica, pid }, 'runtime can not be killed'),
  };
}
