import type { OpenResult } from './load/open.ts';
import type { SteadyResult } from './load/steady.ts';
import type { SubjectKind } from './subject/subject.ts';
import type { Encoding } from './v2.ts';

/** One subject asked in a closed loop by so many connections; the middle of all rounds. */
export interface Cell {
  connections: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Processor time a request; `engineUs` is 0 where one process does it all. */
  frontUs: number;
  engineUs: number;
  /** Answers that were refused or did not come, in all rounds. */
  failed: number;
  /** Each round by itself, in order. */
  rounds: readonly number[];
}

export interface SubjectResult {
  name: string;
  role: SubjectKind['role'];
  what: string;
  cells: readonly Cell[];
  /** At half of what it did at most. */
  half: SteadyResult;
  residentMiB: number;
}

/** One model asked in one encoding. */
export interface Table {
  model: string;
  what: string;
  encoding: Encoding;
  subjects: readonly SubjectResult[];
  /** Who is not in it, and why. */
  missing: readonly { name: string; why: string }[];
}

/** ONNX Runtime in a loop, with nothing around it, beside the runtime. */
export interface RawResult {
  model: string;
  /** By rows in one run: microseconds a row, the middle of all rounds. */
  perRow: readonly { batch: number; us: number }[];
  /** Rows a second of the runtime at 32 connections ÷ of the loop at its best batch; middle of all rounds. */
  ratio: number;
  perSecond: number;
}

/** Where the processor time of a request goes: one model asked in JSON in a closed loop. */
export interface StagesResult {
  model: string;
  connections: number;
  /** Answered while it was profiled. */
  requests: number;
  processes: readonly ProcessStages[];
}

export interface ProcessStages {
  process: 'front' | 'engine';
  /** Microseconds of processor time a request, measured without the profiler; the rooms add up to it. */
  us: number;
  /** Of the time in which its main thread could have run, the share in which there was no processor for it. */
  waitedShare: number;
  /** In the order in which a request passes them. */
  rooms: readonly Room[];
}

/** A folder of ours, a part of Node, or what is neither. */
export interface Room {
  room: string;
  us: number;
}

export interface Disturbed {
  /** How often it was done. */
  times: number;
  perSecond: number;
  quiet: readonly OpenResult[];
  disturbed: OpenResult;
  /** Neither answered well nor turned away, and turned away: a caller had nothing of either. */
  failed: number;
  /** p99 while disturbed ÷ the middle p99 of the quiet times before and after. */
  p99Ratio: number;
  /** Each disturbance until all was well again, in milliseconds. */
  tookMs: readonly number[];
  /** Each disturbance, from the first request of the disturbed time, in milliseconds. */
  atMs: readonly number[];
}

/** Of one pushed version, in milliseconds since the controller was nudged. */
export interface PushTrail {
  /** What the push itself took before that; not since the nudge. */
  pushMs: number;
  /** The controller decides on the commit. */
  seenMs: number;
  /** Runtimes that wait for a snapshot get the one that names the version. */
  publishedMs: number;
  /** The runtime has its files, and an engine's turn. */
  pulledMs: number;
  /** Loaded, golden rows answered, warm. */
  readyMs: number;
  /** The first answer of the version has come. */
  answeredMs: number;
}

/** Versions pushed to a real remote, one after another, each until it answers. */
export interface PushResult {
  model: string;
  /** From one request to the next: what `answeredMs` may be too much by. */
  everyMs: number;
  /** How often the controller looks by itself unless it is told otherwise: what a push without a nudge waits for. */
  pollMs: number;
  trails: readonly PushTrail[];
  /** Of all requests meanwhile. */
  asked: number;
  failed: number;
}

/** A light model at a steady rate, alone and beside a heavy one that gets all it can do. */
export interface NeighboursResult {
  light: string;
  heavy: string;
  heavyPerSecond: number;
  /** Before, and after. */
  alone: readonly OpenResult[];
  beside: OpenResult;
}

export interface OverloadResult {
  model: string;
  capacityPerSecond: number;
  /** At a tenth of capacity. */
  unloaded: OpenResult;
  /** At ten times capacity. */
  overloaded: OpenResult;
  /** p99 of those that were admitted ÷ p99 unloaded. */
  p99Ratio: number;
}

export interface SoakResult {
  requests: number;
  failed: number;
  samples: readonly { requests: number; frontMiB: number; engineMiB: number }[];
}

/** What became of requests with fixed arrivals. */
export interface Asked {
  sent: number;
  answered: number;
  /** By 429 or 503. */
  turnedAway: number;
  failed: number;
  slowestMs: number;
}

/** Two runtimes behind a gateway, while this and that befalls them. */
export interface AvailabilityResult {
  model: string;
  /** Of the steady load, a tenth of what they can do. */
  perSecond: number;
  /** How often each was done, under steady load. */
  deeds: Record<string, number>;
  steady: Asked;
  /** At ten times what they can do, between rounds. */
  overloaded: Asked;
  tookMs: number;
}

export interface Results {
  machine: Machine;
  tables: readonly Table[];
  raw: readonly RawResult[];
  stages: readonly StagesResult[];
  swap: Disturbed | null;
  kill: Disturbed | null;
  push: PushResult | null;
  neighbours: NeighboursResult | null;
  overload: OverloadResult | null;
  availability: AvailabilityResult | null;
  soak: SoakResult | null;
}

export interface Machine {
  processor: string;
  cores: number;
  memoryGiB: number;
  system: string;
  node: string;
  onnxRuntime: string;
  commit: string;
  /** ISO 8601, of the day. */
  date: string;
  /** Runnable processes, averaged over a minute, before the run: more than a few tenths, and others were at work. */
  loadBefore: number;
}
