import { readFile } from 'node:fs/promises';

/** What the kernel says of one process. */
export interface ProcessUsage {
  /** User and system time of all its threads, as of its start. */
  cpuSeconds: number;
  residentBytes: number;
  /** Tells it from an earlier process of the same id. */
  startedTicks: string;
}

/** Of the times in /proc: 100 a second on every platform that Node has Linux builds for. */
const TICKS_PER_SECOND = 100;

/** Null: there is no such process, or this system doesn't say. */
export async function readProcessUsage(pid: number): Promise<ProcessUsage | null> {
  const [stat, status] = await Promise.all(
    ['stat', 'status'].map(file => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')),
  );
  return parseProcessUsage(stat!, status!);
}

/** Of /proc/<pid>/stat and /proc/<pid>/status, as proc(5) describes them. */
export function parseProcessUsage(stat: string, status: string): ProcessUsage | null {
  // The name of the program stands in parentheses and may hold anything, spaces and parentheses too.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [userTicks, systemTicks, startedTicks] = [fields[11], fields[12], fields[19]];
  const kib = /^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1];
  if (userTicks === undefined || systemTicks === undefined || startedTicks === undefined || kib === undefined)
    return null;
  const cpuSeconds = (Number(userTicks) + Number(systemTicks)) / TICKS_PER_SECOND;
  return { cpuSeconds, residentBytes: Number(kib) * 1024, startedTicks };
}
