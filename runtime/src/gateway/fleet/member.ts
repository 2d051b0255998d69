import { Agent } from 'node:http';
import { CONNECT_TIMEOUT_MS, IDLE_UPSTREAM_MS } from '../limits.ts';
import type { Place } from '../listing/watch.ts';
import { type Candidate, faded, smoothed } from './balance.ts';
import { afterEvent, type Health, type HealthEvent, type Standing, standingOf, UNKNOWN } from './health.ts';
import { type Loss, Upstream, type UpstreamOwner } from './upstream.ts';

export interface MemberOptions {
  place: Place;
  /** Connections to this runtime at one time, each with one request. */
  mostConnections: number;
  elapsed: () => number;
  /** Whether it may be put out for what it does to requests. */
  mayEject: (member: Member, isCertain: boolean) => boolean;
  onStanding: (member: Member, standing: Standing) => void;
  /** There is room for another request. */
  onRoom: () => void;
}

/** How long a model or version is not asked for where it could not be had. */
const AWAY_MS = 1000;
const MOST_MARKS = 1000;
/** Connections for what is not inference, which is rare. */
const OTHER_CONNECTIONS = 16;

/** One runtime as the gateway sees it: its connections, what it has to do, and how it is. */
export class Member implements Candidate, UpstreamOwner {
  readonly place: Place;
  /** `10.0.0.5:4181` */
  readonly name: string;
  /** For Node's HTTP client, which carries what the raw connections do not. */
  readonly agent = new Agent({ keepAlive: true, maxSockets: OTHER_CONNECTIONS, timeout: IDLE_UPSTREAM_MS });
  readonly #options: MemberOptions;
  readonly #all = new Set<Upstream>();
  /** A stack, in which one that found other work meanwhile still stands. */
  readonly #idle: Upstream[] = [];
  /** Until when which model or version is not asked of it. */
  readonly #away = new Map<string, number>();
  #health: Health = UNKNOWN;
  #standing: Standing = 'unheard';
  #outstanding = 0;
  #latencyMs = 0;
  #measuredAt = 0;
  #isRemoved = false;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.place = options.place;
    const { host, port } = options.place;
    this.name = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  }

  get outstanding(): number {
    return this.#outstanding;
  }

  get latencyMs(): number {
    return faded(this.#latencyMs, this.#options.elapsed() - this.#measuredAt);
  }

  get standing(): Standing {
    return this.#standing;
  }

  get connections(): number {
    return this.#all.size;
  }

  /** Raw connections and those of Node's client together stay within the bound. */
  takes(subject: string | null, now: number): boolean {
    if (this.#outstanding >= this.#options.mostConnections || this.#isRemoved) return false;
    if (subject === null || this.#away.size === 0) return true;
    return (this.#away.get(subject) ?? 0) <= now;
  }

  /** A connection with nothing to do, `preferred` if it is one. Null: there are enough that have. */
  connection(preferred: Upstream | null): Upstream | null {
    if (preferred !== null && this.#all.has(preferred) && preferred.isIdle) return preferred;
    for (let upstream = this.#idle.pop(); upstream !== undefined; upstream = this.#idle.pop()) {
      upstream.isListed = false;
      if (upstream.isIdle) return upstream;
    }
    if (this.#all.size >= this.#options.mostConnections) return null;
    const upstream = new Upstream(this.place, this, this.#options.elapsed());
    this.#all.add(upstream);
    return upstream;
  }

  begin(): void {
    this.#outstanding++;
  }

  end(): void {
    this.#outstanding--;
    this.#options.onRoom();
  }

  onIdle(upstream: Upstream): void {
    upstream.rested(this.#options.elapsed());
    if (this.#isRemoved) return upstream.cut('cut');
    if (upstream.isListed) return;
    upstream.isListed = true;
    this.#idle.push(upstream);
  }

  onClosed(upstream: Upstream): void {
    this.#all.delete(upstream);
    if (upstream.isListed) this.#idle.splice(this.#idle.indexOf(upstream), 1);
    this.#options.onRoom();
  }

  /** An answer began after so many milliseconds. */
  answered(latencyMs: number, status: number, now: number): void {
    this.#latencyMs = smoothed(this.#latencyMs, latencyMs);
    this.#measuredAt = now;
    if (status === 500 || status === 502) this.tell({ kind: 'failed' });
    else if (this.#health.faults > 0) this.tell({ kind: 'answered' });
  }

  lost(why: Loss): void {
    if (why === 'refused') this.tell({ kind: 'refused' });
    else if (why === 'broken' || why === 'absurd') this.tell({ kind: 'failed' });
  }

  /** This model or version can not be had of it for now: it is not ready there, or not known yet. */
  lacks(subject: string, now: number): void {
    if (this.#away.size >= MOST_MARKS) this.#away.clear();
    this.#away.set(subject, now + AWAY_MS);
  }

  tell(event: HealthEvent): void {
    const now = this.#options.elapsed();
    const mayEject = this.#options.mayEject(this, event.kind === 'refused');
    this.#health = afterEvent(this.#health, event, now, mayEject);
    this.#restand(now);
  }

  /** Sees to what comes with time alone. */
  sweep(now: number): void {
    this.#restand(now);
    for (const [subject, until] of this.#away) if (until <= now) this.#away.delete(subject);
    for (const upstream of this.#all)
      if (!upstream.isConnected && now - upstream.since > CONNECT_TIMEOUT_MS) upstream.cut('refused');
      else if (upstream.isIdle && upstream.isConnected && now - upstream.since > IDLE_UPSTREAM_MS)
        upstream.cut('cut');
  }

  /** No new requests; those under way end. */
  remove(): void {
    this.#isRemoved = true;
    this.agent.maxFreeSockets = 0;
    for (const free of Object.values(this.agent.freeSockets))
      for (const socket of free ?? []) socket.destroy();
    for (const upstream of this.#all) if (upstream.isIdle) upstream.cut('cut');
  }

  #restand(now: number): void {
    const standing = standingOf(this.#health, now);
    if (standing === this.#standing) return;
    this.#standing = standing;
    // Whoever hangs keeps what it was given: those requests are sent to others instead.
    if (standing === 'silent') for (const upstream of this.#all) upstream.cut('broken');
    this.#options.onStanding(this, standing);
  }
}
