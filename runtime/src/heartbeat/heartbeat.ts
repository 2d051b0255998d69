import type { BackendLimits } from '@switchback-ml/schemas';
import type { Clock } from '../clock.ts';
import type { WatchedEngine } from '../engine/watched.ts';
import { asSwitchbackError } from '../error.ts';
import { goldenDifference } from '../loading/golden.ts';
import { bloat, type Footprint } from './bloat.ts';
import type { Pulse } from './pulse.ts';

/** How often an engine is looked at. */
const LOOK_EVERY_MS = 2000;
/** How long it must have been idle: while it answers requests, their answers are its heartbeat. */
const IDLE_MS = 2000;
const LONGEST_REST_MS = 60_000;
/** Heartbeats may take one part in so many of the time. */
const SHARE = 100;
/** A machine under load may well let an engine wait for a second. */
const SHORTEST_DEADLINE_MS = 2000;
/** Of what the last heartbeat took; far beyond it, a request's own limit is not waited for. */
const PATIENCE = 50;

export interface Watch {
  engine: WatchedEngine;
  pulse: Pulse;
  limits: Pick<BackendLimits, 'memoryBytes' | 'timeoutMs'>;
  /** Null where memory can't be known. */
  footprint: Footprint | null;
  /** By the clock's `elapsed`: before this, bloat is let pass. */
  noBloatBefore: number;
  clock: Clock;
}

/** What is wrong with an engine that is still there. wrong: it no longer gives its golden answer. */
export interface Finding {
  cause: 'hung' | 'bloated' | 'wrong';
  /** One clause for a person. */
  reason: string;
}

/**
 * Looks after one ready engine: its memory, and, when it is idle, its heartbeat, which is a golden row that it has to
 * answer in time and rightly. Resolves with the first thing that is wrong, or with null when `signal` aborts. Never
 * rejects. An engine that is gone it leaves to whoever waits for that.
 */
export async function watch(options: Watch, signal: AbortSignal): Promise<Finding | null> {
  const { engine, clock } = options;
  let tookMs: number | null = null;
  while (!signal.aborted) {
    await clock.sleep(LOOK_EVERY_MS, signal);
    if (signal.aborted) break;
    const bloated = await findBloat(options);
    if (bloated !== null) return bloated;
    if (engine.idleMs < restMs(tookMs)) continue;

    const began = clock.elapsed();
    const finding = await beat(options, deadlineMs(tookMs, options.limits.timeoutMs));
    if (signal.aborted) break;
    if (finding !== null) return finding;
    tookMs = clock.elapsed() - began;
  }
  return null;
}

/** How long an engine has to be idle before its next heartbeat, so that a slow graph isn't kept busy by them. */
export function restMs(tookMs: number | null): number {
  return Math.min(LONGEST_REST_MS, Math.max(IDLE_MS, (tookMs ?? 0) * SHARE));
}

export function deadlineMs(tookMs: number | null, timeoutMs: number): number {
  const usual = tookMs === null ? timeoutMs : Math.min(timeoutMs, tookMs * PATIENCE);
  return Math.max(SHORTEST_DEADLINE_MS, usual);
}

async function findBloat({
  engine,
  footprint,
  limits,
  noBloatBefore,
  clock,
}: Watch): Promise<Finding | null> {
  if (footprint === null || clock.elapsed() < noBloatBefore) return null;
  const residentBytes = await engine.residentBytes();
  const reason = residentBytes === null ? null : bloat(footprint, residentBytes, limits.memoryBytes);
  return reason === null ? null : { cause: 'bloated', reason };
}

async function beat({ engine, pulse }: Watch, withinMs: number): Promise<Finding | null> {
  try {
    const got = await engine.beat(pulse.inputs, withinMs);
    const difference = goldenDifference(got, pulse.outputs, pulse.tolerance);
    return difference === null
      ? null
      : { cause: 'wrong', reason: `it no longer gives its golden answer: ${difference}` };
  } catch (error) {
    const { code, message } = asSwitchbackError(error);
    if (code === 'E_ENGINE_DIED') return null;
    if (code === 'E_ENGINE_TIMEOUT') return { cause: 'hung', reason: hungFor(withinMs) };
    if (code === 'E_ENGINE_MEMORY')
      return { cause: 'bloated', reason: 'it had no memory left for its heartbeat' };
    return { cause: 'wrong', reason: `it no longer takes its golden row: ${message}` };
  }
}

function hungFor(withinMs: number): string {
  return `its heartbeat stayed away for ${Math.round(withinMs)} ms`;
}
