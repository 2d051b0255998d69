import { MOST_WAITING } from '../limits.ts';
import { LOOKS, RETRIES, RetryBudget } from '../retry-budget.ts';
import { Tally } from '../tally.ts';
import { choose } from './balance.ts';
import { Demands } from './demand.ts';
import { RANKS } from './health.ts';
import type { Member } from './member.ts';

/** A request that waits for a runtime with room. */
export interface Waiting {
  /** Nobody cares for it any more. */
  readonly isOver: boolean;
  attempt(): void;
}

/** none: the environment has no runtime, or none but the excepted one. full: each has all that it may be given. */
export type Chosen = Member | 'none' | 'full';

/** The runtimes of one environment. */
export class Group {
  readonly environment: string;
  readonly #budget = new RetryBudget(RETRIES);
  readonly #looks = new RetryBudget(LOOKS);
  readonly tally = new Tally();
  readonly demands = new Demands();
  readonly #random: () => number;
  #members: readonly Member[] = [];
  /** Those of the best standing that any has: nobody is asked who is worse while there is somebody better. */
  #best: readonly Member[] = [];
  #waiting: Waiting[] = [];

  constructor(environment: string, random: () => number) {
    this.environment = environment;
    this.#random = random;
  }

  get members(): readonly Member[] {
    return this.#members;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Whether any runtime answers at all. */
  get isAnswering(): boolean {
    return this.#members.some(({ standing }) => standing === 'ready' || standing === 'unready');
  }

  replace(members: readonly Member[]): void {
    this.#members = members;
    this.restand();
  }

  restand(): void {
    const best = Math.min(...this.#members.map(({ standing }) => RANKS[standing]));
    this.#best = this.#members.filter(({ standing }) => RANKS[standing] === best);
    // With others to ask, or with nobody left, what waits may have an answer.
    for (let left = this.#waiting.length; left > 0; left--) this.serve();
  }

  /**
   * Whether enough others are left to put one out for what it did to requests. What all of them do is no fault of one,
   * so half of them stay in; where it is certain that nobody is there, one that answers is enough.
   */
  mayEject(member: Member, isCertain: boolean): boolean {
    const left = this.#members.filter(one => one !== member && RANKS[one.standing] <= RANKS.unready).length;
    return left >= (isCertain ? 1 : Math.max(1, Math.floor(this.#members.length / 2)));
  }

  /** A request came. */
  arrived(now: number): void {
    this.#budget.request(now);
  }

  /** Whether one may be sent once more; if so, that is counted. `isLook`: for what nobody is known to serve. */
  mayRetry(now: number, isLook: boolean): boolean {
    const isGiven = (!isLook || this.#looks.take(now)) && this.#budget.take(now);
    if (isGiven) this.tally.retries++;
    else this.tally.retriesSpared++;
    return isGiven;
  }

  /** `subject`: what is asked for, as `Route` has it. */
  choose(subject: string | null, now: number, except: Member | null): Chosen {
    const best = this.#best;
    const wanted = { subject, now, except };
    const chosen =
      choose(best, wanted, this.#random) ??
      // Not ready anywhere: one of them says so.
      (subject === null ? null : choose(best, { ...wanted, subject: null }, this.#random)) ??
      // Of the best there is only the one that failed just now.
      (except === null ? null : choose(this.#members, { ...wanted, subject: null }, this.#random));
    if (chosen !== null) return chosen;
    return best.length === 0 || (except !== null && this.#members.length === 1) ? 'none' : 'full';
  }

  /** False: too many wait already. */
  wait(waiting: Waiting): boolean {
    if (this.#waiting.length >= MOST_WAITING) this.#waiting = this.#waiting.filter(({ isOver }) => !isOver);
    if (this.#waiting.length >= MOST_WAITING) return false;
    this.#waiting.push(waiting);
    return true;
  }

  /** Somebody has room again. */
  serve(): void {
    while (this.#waiting.length > 0) {
      const next = this.#waiting.shift()!;
      if (next.isOver) continue;
      return next.attempt();
    }
  }
}
