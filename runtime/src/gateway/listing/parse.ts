import { EnvironmentName } from '@switchback-ml/schemas';
import { SwitchbackError } from '../../error.ts';
import { TAKEN } from '../address.ts';

/** Which runtimes there are, as the file says. */
export interface Listing {
  entries: readonly Entry[];
  /** Environment by host name, in lower case. */
  hosts: ReadonlyMap<string, string>;
}

export type Entry =
  | { kind: 'one'; environment: string; host: string; port: number }
  /** Every address that this name has. */
  | { kind: 'name'; environment: string; name: string; port: number };

const MOST_ENTRIES = 1000;
const NAME = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?\.?$/i;

/** `{"runtimes": [{"url": "http://10.0.0.5:4181", "environment": "prod"}]}`. Throws E_CONFIG. */
export function parseListing(text: string): Listing {
  const { runtimes, hosts = {}, ...unknown } = object(json(text), 'it');
  refuseUnknown(unknown, 'it', 'runtimes and hosts');
  if (!Array.isArray(runtimes)) throw refused('"runtimes" must be a list');
  if (runtimes.length > MOST_ENTRIES) throw refused(`"runtimes" has more than ${MOST_ENTRIES} entries`);
  const entries = runtimes.map((runtime, index) => readEntry(runtime, `runtimes[${index}]`));
  refuseDoubles(entries);
  return { entries, hosts: readHosts(hosts, new Set(entries.map(({ environment }) => environment))) };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refused('it is no JSON');
  }
}

function readEntry(value: unknown, at: string): Entry {
  const { environment, url, dns, port, ...unknown } = object(value, at);
  refuseUnknown(unknown, at, 'environment with url, or with dns and port');
  const named = EnvironmentName.safeParse(environment);
  if (!named.success) throw refused(`${at}.environment must be the name of an environment, such as "prod"`);
  if (TAKEN.includes(named.data))
    throw refused(`${at}.environment can not be "${named.data}", which addresses of protocols begin with`);
  if ((url === undefined) === (dns === undefined))
    throw refused(`${at} must have "url" or "dns", and not both`);
  if (url !== undefined && port !== undefined)
    throw refused(`${at}.port belongs to "dns"; a url has its own`);
  return url === undefined
    ? readName(named.data, dns, port, at)
    : { kind: 'one', environment: named.data, ...readUrl(url, at) };
}

function readUrl(url: unknown, at: string): { host: string; port: number } {
  const parsed = typeof url === 'string' ? URL.parse(url) : null;
  const isPlain =
    parsed?.protocol === 'http:' &&
    parsed.pathname === '/' &&
    !parsed.username &&
    !parsed.password &&
    !parsed.search &&
    !parsed.hash;
  if (!isPlain) throw refused(`${at}.url must be http://<host>:<port> and nothing more`);
  return { host: parsed.hostname.replace(/^\[|\]$/g, ''), port: Number(parsed.port || 80) };
}

function readName(environment: string, name: unknown, port: unknown, at: string): Entry {
  if (typeof name !== 'string' || !NAME.test(name)) throw refused(`${at}.dns must be a host name`);
  if (!Number.isInteger(port) || (port as number) < 1 || (port as number) > 65_535)
    throw refused(`${at}.port must be a number from 1 to 65535`);
  return { kind: 'name', environment, name, port: port as number };
}

function readHosts(value: unknown, environments: ReadonlySet<string>): Map<string, string> {
  const hosts = new Map<string, string>();
  for (const [host, environment] of Object.entries(object(value, 'hosts'))) {
    if (!NAME.test(host)) throw refused('"hosts" must name hosts, without ports');
    if (typeof environment !== 'string' || !environments.has(environment))
      throw refused(`hosts[${JSON.stringify(host)}] must be an environment of one of the runtimes`);
    hosts.set(host.toLowerCase(), environment);
  }
  return hosts;
}

function refuseDoubles(entries: readonly Entry[]): void {
  const seen = new Set<string>();
  for (const entry of entries) {
    const key = `${entry.kind === 'one' ? entry.host : entry.name}:${entry.port}`;
    if (seen.has(key)) throw refused(`${key} stands twice in "runtimes"`);
    seen.add(key);
  }
}

function object(value: unknown, at: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw refused(`${at} must be an object`);
}

function refuseUnknown(unknown: object, at: string, known: string): void {
  const [name] = Object.keys(unknown);
  if (name !== undefined) throw refused(`${at} has ${JSON.stringify(name.slice(0, 60))}; it takes ${known}`);
}

function refused(why: string): SwitchbackError {
  return new SwitchbackError('E_CONFIG', `The list of runtimes can not be used: ${why}.`);
}
