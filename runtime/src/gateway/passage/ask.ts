import { TIMEOUT_HEADER } from '@switchback-ml/schemas';
import type { SwitchbackError } from '../../error.ts';
import type { Route } from '../fleet/fleet.ts';
import type { Member } from '../fleet/member.ts';
import type { Loss } from '../fleet/upstream.ts';
import { allBusy, lostOnTheWay, nobodyThere } from '../refuse.ts';
import { isLookedAt, MOST_ATTEMPTS, worthAnother } from '../retry.ts';
import { type Attempt, attempt, type Outgoing, smallBody } from './attempt.ts';

export interface AskOptions {
  elapsed: () => number;
  /** Of the time that the caller named, in milliseconds; null: it named none. */
  timeLeft: () => number | null;
}

export type Answered = Attempt & { kind: 'answer' };

/** Asks one runtime, or another one if the first was lost, not ready, or does not know what is asked for. */
export async function ask(
  options: AskOptions,
  route: Route,
  outgoing: Outgoing,
  signal: AbortSignal,
): Promise<Answered | SwitchbackError> {
  const { group, subject, environment } = route;
  const { elapsed } = options;
  const tried = new Tried(route);
  let except: Member | null = null;
  let last: Answered | SwitchbackError = nobodyThere(environment);
  for (let attempts = 1; attempts <= MOST_ATTEMPTS && !signal.aborted; attempts++) {
    if (attempts > 1 && !group.mayRetry(elapsed(), tried.isLook)) break;
    const member = group.choose(subject, elapsed(), except);
    if (member === 'none') break;
    if (member === 'full') return last instanceof Error ? allBusy(environment) : last;
    const asked = attempts === 1 ? outgoing : withTimeLeft(outgoing, options.timeLeft());
    const outcome = await askOne(options, member, asked, signal);
    if (outcome.kind === 'answer') {
      if (!tried.isWorthAnother(member, outcome, elapsed())) return outcome;
      last = outcome;
    } else {
      tried.isLook = false;
      last = lostOnTheWay(environment);
    }
    except = group.members.length > 1 ? member : null;
    if (except === null && outcome.kind === 'answer') break;
  }
  return last;
}

/** What the runtimes that were asked have told of where it can be had. */
class Tried {
  /** Whether the next one is asked for what nobody is known to serve. */
  isLook = false;
  readonly #route: Route;
  #unaware: Member | null = null;

  constructor(route: Route) {
    this.#route = route;
  }

  isWorthAnother(member: Member, { answer, body }: Answered, now: number): boolean {
    const { subject } = this.#route;
    const status = answer.statusCode!;
    const worth = body === null ? null : worthAnother(status, body);
    if (status < 300) this.#served(now);
    if (worth === 'not-ready' && subject !== null) member.lacks(subject, now);
    if (worth === 'unknown') {
      if (this.#unaware !== null) this.#route.demand.isServed = false;
      this.#unaware = member;
    }
    this.isLook = worth === 'unknown' && !this.#route.demand.isServed;
    return worth !== null;
  }

  #served(now: number): void {
    const { subject } = this.#route;
    this.#route.demand.isServed = true;
    if (subject !== null) this.#unaware?.lacks(subject, now);
  }
}

async function askOne(
  { elapsed }: AskOptions,
  member: Member,
  outgoing: Outgoing,
  signal: AbortSignal,
): Promise<Attempt> {
  const sentAt = elapsed();
  member.begin();
  try {
    const outcome = await attempt(member, outgoing, signal);
    if (outcome.kind === 'lost') return lost(member, outcome.why);
    const { answer } = outcome;
    member.answered(elapsed() - sentAt, answer.statusCode!, elapsed());
    const stated = Number(answer.headers['content-length'] ?? Number.NaN);
    if (!isLookedAt(answer.statusCode!, stated)) return outcome;
    const body = await smallBody(answer);
    return body === null ? lost(member, signal.aborted ? 'cut' : 'broken') : { ...outcome, body };
  } finally {
    member.end();
  }
}

function lost(member: Member, why: Loss): Attempt {
  member.lost(why);
  return { kind: 'lost', why };
}

function withTimeLeft(outgoing: Outgoing, leftMs: number | null): Outgoing {
  if (leftMs === null) return outgoing;
  const headers = outgoing.headers.map((text, index, all) =>
    index % 2 === 1 && all[index - 1]!.toLowerCase() === TIMEOUT_HEADER ? String(Math.max(1, leftMs)) : text,
  );
  return { ...outgoing, headers };
}
