import type { SwitchbackError } from '../error.ts';
import { statusOf } from '../front/status.ts';
import type { AnswerHead } from './answer-head.ts';
import type { Route } from './fleet/fleet.ts';
import type { Waiting } from './fleet/group.ts';
import type { Member } from './fleet/member.ts';
import type { Asker, Loss, Upstream } from './fleet/upstream.ts';
import { ANSWER_TIMEOUT_MS } from './limits.ts';
import { allBusy, lostOnTheWay, nobodyThere, tooLate } from './refuse.ts';
import { isLookedAt, MOST_ATTEMPTS, type Worth, worthAnother } from './retry.ts';

/** Who waits for the answer to one request. */
export interface Recipient {
  /** The connection that its last request went by, which knows the head of its requests. */
  preferred: Upstream | null;
  /** The request for a runtime; `timeoutMs`: what is left of the time that the caller named. */
  print(timeoutMs: number | null): { head: Buffer; body: Buffer | null };
  /** False: give no more until it is asked for by `resume`. */
  begin(head: AnswerHead, bytes: Buffer, isWhole: boolean): boolean;
  more(bytes: Buffer, isWhole: boolean): boolean;
  refuse(error: SwitchbackError): void;
  /** The answer ends in the middle. */
  breakOff(): void;
}

/** One inference request on its way: to a runtime, at most once more to another one, and back. */
export class Exchange implements Asker, Waiting {
  readonly #recipient: Recipient;
  readonly #route: Route;
  readonly #elapsed: () => number;
  readonly #arrivedAt: number;
  /** As the caller named it. */
  readonly #timeoutMs: number | null;
  #attempts = 0;
  #sentAt = 0;
  #member: Member | null = null;
  #upstream: Upstream | null = null;
  /** Whether the caller has a part of the answer. */
  #hasBegun = false;
  #isOver = false;
  #status = 0;
  /** Did not know what was asked for. */
  #unaware: Member | null = null;
  /** An answer that is looked at whole before it is passed on. */
  #held: { head: AnswerHead; chunks: Buffer[] } | null = null;

  constructor(recipient: Recipient, route: Route, timeoutMs: number | null, elapsed: () => number) {
    this.#recipient = recipient;
    this.#route = route;
    this.#timeoutMs = timeoutMs;
    this.#elapsed = elapsed;
    this.#arrivedAt = elapsed();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  start(): void {
    this.#route.group.arrived(this.#arrivedAt);
    this.attempt();
  }

  attempt(): void {
    this.#attempt(null);
  }

  /** The caller went away. */
  cancel(): void {
    if (this.#isOver) return;
    this.#letGo();
    this.#isOver = true;
    this.#route.group.tally.gone();
  }

  resume(): void {
    this.#upstream?.resume();
  }

  /** Ends it if its time is over. */
  expire(now: number): void {
    const timeoutMs = this.#timeoutMs ?? ANSWER_TIMEOUT_MS;
    if (this.#isOver || now - this.#arrivedAt < timeoutMs) return;
    this.#letGo();
    if (this.#hasBegun) this.#breakOff();
    else this.#refuse(tooLate(timeoutMs));
  }

  onAnswer(head: AnswerHead, bytes: Buffer, isWhole: boolean): void {
    const now = this.#elapsed();
    this.#member!.answered(now - this.#sentAt, head.status, now);
    if (isLookedAt(head.status, head.bodyBytes)) {
      this.#held = { head, chunks: [bytes] };
      if (isWhole) this.#judge();
      return;
    }
    this.#passOn(head, bytes, isWhole);
  }

  onMore(bytes: Buffer, isWhole: boolean): void {
    if (this.#held !== null) {
      this.#held.chunks.push(bytes);
      if (isWhole) this.#judge();
      return;
    }
    if (isWhole) this.#finish();
    if (!this.#recipient.more(bytes, isWhole) && !isWhole) this.#upstream?.pause();
  }

  onLost(why: Loss): void {
    // What came of it belongs to no other runtime's answer.
    this.#held = null;
    const member = this.#member!;
    const wasStale = why === 'broken' && this.#upstream!.uses > 1;
    this.#upstream = null;
    // Before its room is given to whoever waits.
    member.lost(why);
    this.#letGo();
    if (this.#hasBegun) return this.#breakOff();
    // A connection that had rested may have been given up by the other side just then.
    const except = wasStale && this.#route.group.members.length === 1 ? null : member;
    if (this.#mayRetry(except, false)) this.#attempt(except);
    else this.#refuse(lostOnTheWay(this.#route.environment));
  }

  #attempt(except: Member | null): void {
    const { group, subject, environment } = this.#route;
    const now = this.#elapsed();
    const timeoutMs = this.#timeLeft(now);
    if (timeoutMs !== null && timeoutMs <= 0) return this.#refuse(tooLate(this.#timeoutMs!));
    const member = group.choose(subject, now, except);
    if (member === 'none')
      return this.#refuse(this.#attempts > 0 ? lostOnTheWay(environment) : nobodyThere(environment));
    if (member === 'full' || !this.#sendTo(member, now, timeoutMs)) this.#wait();
  }

  /** False: it has no connection to spare. */
  #sendTo(member: Member, now: number, timeoutMs: number | null): boolean {
    const upstream = member.connection(this.#recipient.preferred);
    if (upstream === null) return false;
    this.#attempts++;
    this.#sentAt = now;
    this.#member = member;
    this.#upstream = upstream;
    this.#recipient.preferred = upstream;
    member.begin();
    const { head, body } = this.#recipient.print(timeoutMs === this.#timeoutMs ? null : timeoutMs);
    upstream.send(this, head, body);
    return true;
  }

  #wait(): void {
    const { group, environment } = this.#route;
    if (!group.wait(this)) this.#refuse(allBusy(environment));
  }

  #timeLeft(now: number): number | null {
    return this.#timeoutMs === null ? null : this.#timeoutMs - Math.round(now - this.#arrivedAt);
  }

  /** Whether it may be sent once more; if so, that is counted. */
  #mayRetry(except: Member | null, isLook: boolean): boolean {
    const { group } = this.#route;
    if (this.#attempts >= MOST_ATTEMPTS || (except !== null && group.members.length < 2)) return false;
    return group.mayRetry(this.#elapsed(), isLook);
  }

  /** With an answer in hand, nobody waits for another runtime: false where none takes it at once. */
  #askAnother(except: Member, isLook: boolean): boolean {
    const { group, subject } = this.#route;
    const now = this.#elapsed();
    const timeoutMs = this.#timeLeft(now);
    if (timeoutMs !== null && timeoutMs <= 0) return false;
    const member = group.choose(subject, now, except);
    if (typeof member === 'string' || !this.#mayRetry(except, isLook)) return false;
    return this.#sendTo(member, now, timeoutMs);
  }

  /** Of an answer that is there whole and is no success: for another runtime, or for the caller. */
  #judge(): void {
    const { head, chunks } = this.#held!;
    this.#held = null;
    const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
    const member = this.#member!;
    this.#upstream = null;
    this.#letGo();
    this.#status = head.status;
    const worth = worthAnother(head.status, bytes.subarray(head.headBytes));
    if (worth !== null && this.#isRetried(member, worth)) return;
    this.#conclude();
    this.#recipient.begin(head, bytes, true);
  }

  #isRetried(member: Member, worth: Worth): boolean {
    const route = this.#route;
    if (worth === 'not-ready' && route.subject !== null) member.lacks(route.subject, this.#elapsed());
    if (worth !== 'unknown') return this.#askAnother(member, false);
    // Two of them have not heard of it: it is no longer served.
    if (this.#unaware !== null) route.demand.isServed = false;
    this.#unaware = member;
    return this.#askAnother(member, !route.demand.isServed);
  }

  /** Somebody answered what was asked for. */
  #served(): void {
    const route = this.#route;
    route.demand.isServed = true;
    if (this.#unaware !== null && route.subject !== null) this.#unaware.lacks(route.subject, this.#elapsed());
  }

  #passOn(head: AnswerHead, bytes: Buffer, isWhole: boolean): void {
    this.#hasBegun = true;
    this.#status = head.status;
    if (head.status < 300) this.#served();
    if (isWhole) this.#finish();
    if (!this.#recipient.begin(head, bytes, isWhole) && !isWhole) this.#upstream?.pause();
  }

  /** The answer is there whole, so the connection has already been given back. */
  #finish(): void {
    this.#upstream = null;
    this.#letGo();
    this.#conclude();
  }

  #conclude(): void {
    this.#isOver = true;
    this.#route.group.tally.answered(this.#status, this.#elapsed() - this.#arrivedAt);
  }

  #letGo(): void {
    const upstream = this.#upstream;
    const member = this.#member;
    this.#upstream = null;
    this.#member = null;
    upstream?.abandon();
    member?.end();
  }

  #refuse(error: SwitchbackError): void {
    this.#status = statusOf(error.code);
    this.#conclude();
    this.#recipient.refuse(error);
  }

  #breakOff(): void {
    this.#isOver = true;
    this.#route.group.tally.gone();
    this.#recipient.breakOff();
  }
}
