import { changeDeed } from './change/changes.ts';
import { faultDeed } from './fault/faults.ts';
import type { Deed, Ground } from './ground.ts';
import type { Turn } from './plan.ts';
import { pause } from './wait.ts';

/** A deed as it went. Times are milliseconds since the epoch. */
export interface Told {
  kind: string;
  isFault: boolean;
  what: string;
  atMs: number;
  tookMs: number;
  /** interrupted: whoever ran the soak ended it meanwhile. */
  outcome: 'proven' | 'not proven' | 'interrupted';
  words: string;
}

export interface TurnOptions {
  ground: Ground;
  plan: readonly Turn[];
  startedAt: number;
  /** No turn begins later. */
  forMs: number;
  onBegin: (what: string) => void;
  onTold: (told: Told) => void;
}

/** One turn after the other, each at its time or as soon as the one before has ended. */
export async function playTurns(options: TurnOptions): Promise<void> {
  const { ground, plan, startedAt, forMs } = options;
  for (const turn of plan) {
    await pause(Math.max(0, startedAt + turn.atMs - Date.now()), ground.signal);
    if (ground.signal.aborted || Date.now() - startedAt > forMs) return;
    await playTurn(turn, options);
  }
}

/** The fault strikes once the change is made, and while it makes its way. */
async function playTurn({ change, fault, faultAfterMs }: Turn, options: TurnOptions): Promise<void> {
  const { ground } = options;
  const made = Promise.withResolvers<void>();
  await Promise.all([
    play(change.kind, changeDeed(ground, change), false, options, made.resolve).finally(made.resolve),
    made.promise
      .then(() => pause(faultAfterMs, ground.signal))
      .then(isTime =>
        isTime ? play(fault.kind, faultDeed(ground, fault), true, options, () => {}) : undefined,
      ),
  ]);
}

async function play(
  kind: string,
  deed: Deed,
  isFault: boolean,
  { ground, onBegin, onTold }: TurnOptions,
  onActed: () => void,
): Promise<void> {
  const atMs = Date.now();
  const told = (outcome: Told['outcome'], words: string): void =>
    onTold({ kind, isFault, what: deed.what, atMs, tookMs: Date.now() - atMs, outcome, words });
  try {
    onBegin(deed.what);
    await deed.act();
    onActed();
    told('proven', await deed.prove());
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    told(ground.signal.aborted ? 'interrupted' : 'not proven', words);
  }
}
