/** One part of a run, and about how long it takes. */
export interface Step {
  what: string;
  estimateMs: number;
  run: () => Promise<void>;
}

/** Tells what is under way, since when, and about how long it all goes on. */
export class Progress {
  readonly #print: (line: string) => void;
  readonly #now: () => number;
  readonly #startedAt: number;
  #restMs = 0;
  #step: { endsAt: number } = { endsAt: 0 };

  constructor(print: (line: string) => void, now: () => number) {
    this.#print = print;
    this.#now = now;
    this.#startedAt = now();
  }

  /** One after another. */
  async run(steps: readonly Step[]): Promise<void> {
    this.#restMs = steps.reduce((sum, { estimateMs }) => sum + estimateMs, 0);
    for (const { what, estimateMs, run } of steps) {
      this.#restMs -= estimateMs;
      this.#step = { endsAt: this.#now() + estimateMs };
      this.tell(what);
      await run();
    }
  }

  tell(words: string): void {
    const now = this.#now();
    const goMs = this.#restMs + Math.max(0, this.#step.endsAt - now);
    this.#print(`${minutes(now - this.#startedAt)}  ${words}  (about ${minutes(goMs)} to go)`);
  }
}

/** `3:07` */
function minutes(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
