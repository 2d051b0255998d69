import { readdirSync, readFileSync } from 'node:fs';

/** Of /proc on Linux, whatever the processor: ticks in a second, and bytes in a page. */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;

export interface Usage {
  /** Microseconds of processor time since it began, its own and the kernel's for it. */
  cpuUs: number;
  residentBytes: number;
}

/** Of processes together; what is gone counts nothing. */
export function usageOf(pids: readonly number[]): Usage {
  const all = pids.flatMap(pid => readStat(pid) ?? []);
  return {
    cpuUs: all.reduce((sum, { cpuUs }) => sum + cpuUs, 0),
    residentBytes: all.reduce((sum, { residentBytes }) => sum + residentBytes, 0),
  };
}

/** Everything that a process started, and what that started. */
export function descendants(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readStat(Number(name));
    if (stat !== null) children.set(stat.parent, [...(children.get(stat.parent) ?? []), Number(name)]);
  }
  const below = (parent: number): number[] =>
    (children.get(parent) ?? []).flatMap(child => [child, ...below(child)]);
  return below(pid);
}

function readStat(pid: number): (Usage & { parent: number }) | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  // The name in parentheses may hold anything, also spaces; what follows it does not. Numbered as in proc(5).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): number => Number(fields[number - 3]);
  return {
    parent: field(4),
    cpuUs: ((field(14) + field(15)) * 1e6) / TICKS_PER_SECOND,
    residentBytes: field(24) * PAGE_BYTES,
  };
}
