import { execFile, spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Dialect } from '../subject/subject.ts';
import { type ThinkMs, wrkScript } from './wrk-script.ts';

const run = promisify(execFile);
const GRACE_MS = 30_000;

export interface ClosedOptions {
  /** Each asks again once it is answered. */
  connections: number;
  /** Between an answer and the next request, by chance; absent: none. */
  thinkMs?: ThinkMs;
  forMs: number;
  scratch: string;
  signal: AbortSignal;
}

export interface ClosedResult {
  requests: number;
  perSecond: number;
  /** From the real start, as a closed loop has it: a stall hides what was not asked meanwhile. */
  p50Ms: number;
  p99Ms: number;
  /** Answered, but not with 2xx or 3xx. */
  refused: number;
  /** Not answered. */
  broken: number;
}

/** A sentence when wrk is missing, else null. */
export function wrkTrouble(): string | null {
  return spawnSync('wrk', ['--version']).error === undefined
    ? null
    : 'wrk is not installed: install your system\'s package "wrk" and run the command again.';
}

/** By wrk with one thread. */
export async function closedLoad(dialect: Dialect, options: ClosedOptions): Promise<ClosedResult> {
  const { connections, thinkMs, forMs, scratch, signal } = options;
  const script = join(scratch, 'load.lua');
  await writeFile(script, wrkScript(dialect, thinkMs));
  const seconds = Math.max(1, Math.round(forMs / 1000));
  const args = [
    '--threads=1',
    `--connections=${connections}`,
    `--duration=${seconds}s`,
    `--script=${script}`,
  ];
  const { stdout } = await run('wrk', [...args, '--timeout=10s', dialect.url], {
    signal,
    timeout: forMs + GRACE_MS,
  });
  const line = stdout.trim().split('\n').at(-1) ?? '';
  const counted = JSON.parse(line) as Record<
    'requests' | 'elapsedUs' | 'p50Us' | 'p99Us' | 'refused' | 'broken',
    number
  >;
  const { requests, refused, broken } = counted;
  return {
    requests,
    perSecond: (requests * 1e6) / counted.elapsedUs,
    p50Ms: counted.p50Us / 1000,
    p99Ms: counted.p99Us / 1000,
    refused,
    broken,
  };
}
