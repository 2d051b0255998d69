import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { join } from 'node:path';
import type { ThreadUse } from './processor-time.ts';

/** Microseconds between two samples. Each costs the thread one or two hundredths of that, also while it is idle. */
const INTERVAL_US = 500;

/** What a profiled process leaves behind when it is told a second time, as `<pid>.json` in the folder. */
export interface Recording {
  before: readonly ThreadUse[];
  after: readonly ThreadUse[];
  /** As V8 gives it. */
  profile: unknown;
}

export function profileOnSignal(folder: string): void {
  let running: { session: Session; before: readonly ThreadUse[] } | null = null;
  const leave = (name: string, text: string): void => {
    const path = join(folder, `${process.pid}.${name}`);
    writeFileSync(`${path}.part`, text);
    renameSync(`${path}.part`, path);
  };
  process.on('SIGUSR2', () => {
    if (running === null) {
      const session = startSession();
      running = { session, before: threadsOfThis() };
      leave('started', '');
      return;
    }
    const { session, before } = running;
    const after = threadsOfThis();
    running = null;
    session.post('Profiler.stop', (error, stopped) => {
      const recording: Recording = { before, after, profile: stopped?.profile ?? String(error) };
      leave('json', JSON.stringify(recording));
      session.disconnect();
    });
  });
  leave('ready', '');
}

function startSession(): Session {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.setSamplingInterval', { interval: INTERVAL_US });
  session.post('Profiler.start');
  return session;
}

/** Of /proc on Linux; nanoseconds there. */
function threadsOfThis(): ThreadUse[] {
  const tasks = '/proc/self/task';
  return readdirSync(tasks).map(id => {
    const [ranNs = '0', waitedNs = '0'] = readFileSync(join(tasks, id, 'schedstat'), 'utf8').split(' ');
    return {
      id: Number(id),
      name: readFileSync(join(tasks, id, 'comm'), 'utf8').trim(),
      isMain: Number(id) === process.pid,
      ranUs: Number(ranNs) / 1000,
      waitedUs: Number(waitedNs) / 1000,
    };
  });
}
