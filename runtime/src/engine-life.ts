import type { Cause, Charge, Entering, Prepare } from './charge.ts';
import type { Clock } from './clock.ts';
import type { Life } from './crash-policy.ts';
import type { Engine } from './engine/engine.ts';
import { WatchedEngine } from './engine/watched.ts';
import { asSwitchbackError, messageOf, SwitchbackError } from './error.ts';
import type { Footprint } from './heartbeat/bloat.ts';
import { type Watch, watch } from './heartbeat/heartbeat.ts';
import type { Pulse } from './heartbeat/pulse.ts';
import type { Place } from './loading/room.ts';
import type { Turns, Urgency } from './loading/turns.ts';
import type { Log } from './log.ts';
import type { Spare } from './spare.ts';

/** Between two replacements for bloat: whoever grows that fast is not helped by more of them. */
const BLOAT_PAUSE_MS = 60_000;

export interface EngineLifeOptions {
  spare: Pick<Spare, 'take'>;
  /** To start and load. */
  turns: Turns;
  clock: Clock;
  log: Log;
  /** Called when an engine was replaced without a break. */
  onReplaced: (charge: Charge, cause: Cause['cause']) => void;
}

/** Where an engine is to live. */
export interface Seat {
  charge: Charge;
  /** Of the charge's seats. */
  index: number;
  /** Of its first load. */
  urgency: Urgency;
  /** These bytes were ready before and gave no wrong answer since. */
  isProven: boolean;
}

/** How it came that a seat has no engine. */
export type End =
  | { kind: 'gone'; what: Cause; life: Life; wasReady: boolean }
  /** It could not be made ready, and would not be the next time. */
  | { kind: 'refused'; error: SwitchbackError }
  /** This machine could not give what is needed. */
  | { kind: 'short'; error: SwitchbackError };

/**
 * The life of one engine in a seat, and of those that take over from it without a break, until there is none or
 * `signal` aborts. Never rejects; every engine is gone when it resolves.
 */
export async function liveEngine(options: EngineLifeOptions, seat: Seat, signal: AbortSignal): Promise<End> {
  const { clock } = options;
  const { charge, index } = seat;
  let ready: Ready | null = null;
  const ending = new Ending();
  try {
    ready = await makeReady(options, seat, false, signal);
    if (signal.aborted) throw unwanted();
    const upSince = clock.elapsed();
    let noBloatBefore = 0;
    charge.up(index, ready.engine, null);
    for (;;) {
      const what = await whatBefalls(
        { ...ready, limits: charge.limits, noBloatBefore, clock },
        ending,
        signal,
      );
      const canGoOn = what.cause === 'bloated' && clock.elapsed() >= noBloatBefore;
      if (signal.aborted || !canGoOn) {
        if (!signal.aborted) charge.lost(index, what);
        return goneFrom(ready, what, clock.elapsed() - upSince);
      }
      noBloatBefore = clock.elapsed() + BLOAT_PAUSE_MS;
      const next = await takeOver(options, seat, ready.engine, what, signal);
      if (next === null) continue;
      ending.hold(retire(ready));
      ready = next;
    }
  } catch (error) {
    return endWithout(error);
  } finally {
    await ready?.engine[Symbol.asyncDispose]();
    ready?.place?.leave();
    await ending.all();
  }
}

interface Ready {
  engine: WatchedEngine;
  pulse: Pulse;
  footprint: Footprint | null;
  /** To golden rows and warm-up. */
  answersBefore: number;
  /** Undefined: memory has no bound. */
  place: Place | undefined;
}

async function makeReady(
  options: EngineLifeOptions,
  { charge, urgency, isProven }: Seat,
  takesOver: boolean,
  signal: AbortSignal,
): Promise<Ready> {
  const prepare = await charge.open(signal);
  const by: Entering = { urgency, takesOver };
  const place = await charge.enter?.(by, signal);
  const endTurn = await options.turns.take(urgency, signal);
  const began = options.clock.elapsed();
  try {
    if (signal.aborted) throw unwanted();
    const engine = new WatchedEngine(noting(await take(options, signal), place), options.clock);
    const { warmBytes, ...ready } = await prepareBlank(engine, prepare, { isProven, place }, signal);
    place?.loaded(warmBytes, options.clock.elapsed() - began);
    return { ...ready, place };
  } catch (error) {
    place?.leave();
    throw error;
  } finally {
    endTurn();
  }
}

/** Whoever asks for its memory, as its heartbeat does, tells the place that it lives in. */
function noting(engine: Engine, place: Place | undefined): Engine {
  if (place === undefined) return engine;
  return {
    pid: engine.pid,
    gone: engine.gone,
    load: request => engine.load(request),
    infer: (inputs, timeoutMs) => engine.infer(inputs, timeoutMs),
    async residentBytes() {
      const bytes = await engine.residentBytes();
      if (bytes !== null) place.measured(bytes);
      return bytes;
    },
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}

type Prepared = Omit<Ready, 'place'> & {
  /** What it holds now; null: not known. */
  warmBytes: number | null;
};

async function prepareBlank(
  engine: WatchedEngine,
  prepare: Prepare,
  { isProven, place }: { isProven: boolean; place: Place | undefined },
  signal: AbortSignal,
): Promise<Prepared> {
  // What is being loaded can't be interrupted, only killed; then `prepare` rejects.
  const kill = (): void => void engine[Symbol.asyncDispose]();
  signal.addEventListener('abort', kill, { once: true });
  try {
    if (signal.aborted) throw unwanted();
    const blankBytes = await engine.residentBytes();
    place?.started(blankBytes);
    const pulse = await prepare(engine, isProven, signal);
    const warmBytes = await engine.residentBytes();
    const isKnown = blankBytes !== null && warmBytes !== null;
    const footprint = isKnown ? { blankBytes, ownBytes: Math.max(0, warmBytes - blankBytes) } : null;
    return { engine, pulse, footprint, answersBefore: engine.answers, warmBytes };
  } catch (error) {
    await engine[Symbol.asyncDispose]();
    throw error;
  } finally {
    signal.removeEventListener('abort', kill);
  }
}

function unwanted(): SwitchbackError {
  return new SwitchbackError('E_ENGINE_DIED', 'The engine is not wanted any more.');
}

async function take({ spare }: EngineLifeOptions, signal: AbortSignal): Promise<Engine> {
  try {
    return await spare.take(signal);
  } catch (error) {
    const message = `No engine process could be started (${messageOf(error)}); it is tried again. Look at the machine's limits of processes, open files and memory.`;
    throw new SwitchbackError('E_ENGINE_START', message, { cause: error });
  }
}

/** Waits for the first thing that goes wrong with a ready engine, or for `signal`. */
async function whatBefalls(options: Watch, ending: Ending, signal: AbortSignal): Promise<Cause> {
  const { engine } = options;
  const watching = new AbortController();
  const unless = AbortSignal.any([watching.signal, signal]);
  const found = watch(options, unless);
  // A heartbeat on its way ends with its engine, not with our waiting for it.
  ending.hold(found);
  try {
    const what = await Promise.race([engine.gone, found, untilAborted(unless)]);
    if (what === null || what.cause === 'stopped') return { cause: 'died', reason: 'it was stopped' };
    if (what.cause === 'late' && engine.isBeating)
      return { cause: 'hung', reason: `its heartbeat stayed away: ${what.reason}` };
    return { cause: what.cause, reason: what.reason };
  } finally {
    watching.abort();
  }
}

/** A bloated engine goes on answering until another is ready; null when there is none to be had now. */
async function takeOver(
  options: EngineLifeOptions,
  { charge, index }: Seat,
  old: WatchedEngine,
  what: Cause,
  signal: AbortSignal,
): Promise<Ready | null> {
  const { log, onReplaced } = options;
  const { model, revision } = charge;
  const oldIsGone = new AbortController();
  const stop = old.gone.then(() => oldIsGone.abort());
  try {
    const seat: Seat = { charge, index, urgency: 'another', isProven: true };
    const unless = AbortSignal.any([signal, oldIsGone.signal]);
    const next = await makeReady(options, seat, true, unless);
    if (unless.aborted) {
      await retire(next);
      throw unwanted();
    }
    log.warn({ model, revision, ...what }, 'engine was replaced without a break');
    onReplaced(charge, what.cause);
    charge.up(index, next.engine, what);
    return next;
  } catch (error) {
    if (oldIsGone.signal.aborted) await stop;
    const fields = { model, revision, ...what, failure: messageOf(error) };
    if (!signal.aborted) log.warn(fields, 'engine could not be replaced, the old one stays');
    return null;
  }
}

/** Its last batches are still answered; their time limits bound the wait. */
async function retire({ engine, place }: Ready): Promise<void> {
  await Promise.race([engine.idle(), engine.gone]);
  await engine[Symbol.asyncDispose]();
  place?.leave();
}

function goneFrom({ engine, answersBefore }: Ready, what: Cause, upMs: number): End {
  return { kind: 'gone', what, life: { upMs, answers: engine.answers - answersBefore }, wasReady: true };
}

/** What came of an engine that was never ready. */
function endWithout(error: unknown): End {
  const known = asSwitchbackError(error);
  if (!(error instanceof SwitchbackError) || known.code === 'E_ENGINE_START')
    return { kind: 'short', error: known };
  if (known.code !== 'E_ENGINE_DIED') return { kind: 'refused', error: known };
  const what: Cause = { cause: 'died', reason: known.message };
  return { kind: 'gone', what, life: { upMs: 0, answers: 0 }, wasReady: false };
}

/** What goes on for a moment after it is of no more use; held until it is over. */
class Ending {
  readonly #promises = new Set<Promise<unknown>>();

  hold(promise: Promise<unknown>): void {
    const held = promise.finally(() => this.#promises.delete(held));
    this.#promises.add(held);
  }

  async all(): Promise<void> {
    await Promise.all(this.#promises);
  }
}

function untilAborted(signal: AbortSignal): Promise<null> {
  return new Promise(resolve => {
    if (signal.aborted) resolve(null);
    else signal.addEventListener('abort', () => resolve(null), { once: true });
  });
}
