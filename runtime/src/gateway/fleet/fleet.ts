import type { Log } from '../../log.ts';
import { type Address, readAddress } from '../address.ts';
import type { Place, Places } from '../listing/watch.ts';
import type { Demand } from './demand.ts';
import { Group } from './group.ts';
import { Member } from './member.ts';

export interface FleetOptions {
  mostConnections: number;
  elapsed: () => number;
  /** In [0, 1). */
  random: () => number;
  log: Log;
  /** Begins to probe a runtime until the signal aborts. */
  probe: (member: Member, signal: AbortSignal) => Promise<void>;
}

export interface Route extends Address {
  group: Group;
  /** The model or the version that inference is asked of; null: of none that is named, or something else is asked. */
  subject: string | null;
  demand: Demand;
}

/** Of addresses: callers write them. */
const MOST_REMEMBERED = 4096;
/** With host and query. A longer one is read anew each time. */
const LONGEST_REMEMBERED = 512;

/** All runtimes, by environment. */
export class Fleet implements AsyncDisposable {
  readonly #options: FleetOptions;
  readonly #groups = new Map<string, Group>();
  readonly #probes = new Map<Member, AbortController>();
  readonly #probing = new Set<Promise<void>>();
  /** Taken off the list, with requests that it still answers. */
  readonly #leaving = new Set<Member>();
  #hosts: ReadonlyMap<string, string> = new Map();
  #routes = new Map<string, Route | null>();

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  get groups(): ReadonlyMap<string, Group> {
    return this.#groups;
  }

  /** What the URL, and the host where hosts stand for environments, stand for. Null: nothing that is offered. */
  route(url: string, host: string | undefined): Route | null {
    const key = this.#hosts.size === 0 ? url : `${host} ${url}`;
    const known = this.#routes.get(key);
    if (known !== undefined) return known;
    const rules = { environments: new Set(this.#groups.keys()), hosts: this.#hosts };
    const address = readAddress(url, host, rules);
    const group = address === null ? undefined : this.#groups.get(address.environment);
    const route = group === undefined ? null : routeTo(address!, group);
    if (key.length > LONGEST_REMEMBERED) return route;
    if (this.#routes.size >= MOST_REMEMBERED) this.#routes.clear();
    this.#routes.set(key, route);
    return route;
  }

  apply({ places, hosts }: Places): void {
    this.#hosts = hosts;
    this.#routes = new Map();
    const wanted = Map.groupBy(places, ({ environment }) => environment);
    for (const environment of new Set([...wanted.keys(), ...this.#groups.keys()]))
      this.#applyTo(environment, wanted.get(environment) ?? []);
    const count = places.length;
    this.#options.log.info({ environments: [...this.#groups.keys()], runtimes: count }, 'runtimes are known');
  }

  sweep(now: number): void {
    for (const { members } of this.#groups.values()) for (const member of members) member.sweep(now);
    for (const member of this.#leaving) {
      member.sweep(now);
      if (member.connections === 0) this.#leaving.delete(member);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.apply({ places: [], hosts: new Map() });
    await Promise.all(this.#probing);
  }

  #applyTo(environment: string, places: readonly Place[]): void {
    const group = this.#groups.get(environment) ?? new Group(environment, this.#options.random);
    const known = new Map(group.members.map(member => [keyOf(member.place), member]));
    const members = [...new Map(places.map(place => [keyOf(place), place])).values()].map(
      place => known.get(keyOf(place)) ?? this.#add(group, place),
    );
    for (const member of group.members) if (!members.includes(member)) this.#remove(member);
    group.replace(members);
    if (members.length > 0) this.#groups.set(environment, group);
    else this.#groups.delete(environment);
  }

  #add(group: Group, place: Place): Member {
    const { environment } = group;
    const member = new Member({
      ...this.#options,
      place,
      mayEject: (one, isCertain) => group.mayEject(one, isCertain),
      onRoom: () => group.serve(),
      onStanding: ({ name }, standing) => {
        group.restand();
        const fields = { environment, runtime: name, standing };
        if (standing === 'ready') this.#options.log.info(fields, 'runtime is asked');
        else this.#options.log.warn(fields, 'runtime is asked only if there is no better one');
      },
    });
    const ended = new AbortController();
    const done = this.#options.probe(member, ended.signal).then(() => void this.#probing.delete(done));
    this.#probing.add(done);
    this.#probes.set(member, ended);
    return member;
  }

  #remove(member: Member): void {
    this.#probes.get(member)?.abort();
    this.#probes.delete(member);
    member.remove();
    if (member.connections > 0) this.#leaving.add(member);
  }
}

function routeTo(address: Address, group: Group): Route {
  const { model = null, version = null } = address.target ?? {};
  const subject = model === null || version === null ? model : `${model}@${version}`;
  const demand = group.demands.of(subject ?? address.path.split(/[?#]/, 1)[0]!);
  return { ...address, group, subject, demand };
}

function keyOf({ host, port }: Place): string {
  return `${host} ${port}`;
}
