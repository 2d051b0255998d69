import { SwitchbackError } from '../../error.ts';
import { isLoopback, type RemoteUrl } from '../remote-url.ts';

/** Which addresses the client may talk to, and which of them get our credentials. */
export interface Addresses {
  /** Of the LFS server, with a path that ends in a slash. */
  base: URL;
  /** An address that the server named, parsed; throws when it may not be followed. */
  accept(href: string, from?: URL): URL;
  /** Whether it is the very server that the operator named. */
  isOurs(url: URL): boolean;
}

/**
 * GitHub names these for its objects. Others are the operator's to allow: an address that a server names could as
 * well be one inside our own network.
 */
const OBJECT_HOSTS: Readonly<Record<string, readonly string[]>> = {
  'github.com': ['lfs.github.com', 'github-cloud.githubusercontent.com', 'github-cloud.s3.amazonaws.com'],
};

export function lfsAddresses(url: string, allowedHosts: readonly string[]): Addresses {
  const base = parseBase(url);
  const allowed = new Set([base.host, ...(OBJECT_HOSTS[base.host] ?? []), ...allowedHosts]);
  return {
    base,
    isOurs: address => address.origin === base.origin,
    accept: (href, from) => {
      const address = URL.parse(href, from?.href);
      if (address === null) throw refused('is none');
      if (!isProtected(address)) throw refused('is neither https nor http to this machine');
      if (address.username !== '' || address.password !== '') throw refused('holds credentials');
      if (!allowed.has(address.host))
        throw refused(`is on ${address.host.slice(0, 200)}; if that is right, allow this host for LFS`);
      return address;
    },
  };
}

/** Where LFS stands beside a git remote when the operator names no other place; null: not over HTTP. */
export function lfsEndpoint(remote: RemoteUrl): string | null {
  if (remote.kind !== 'https' && remote.kind !== 'http') return null;
  const url = remote.url.replace(/\/+$/, '');
  return url.endsWith('.git') ? `${url}/info/lfs` : `${url}.git/info/lfs`;
}

/** The address itself is not repeated: it may hold the very password that it is refused for. */
function parseBase(url: string): URL {
  const base = URL.parse(url);
  const why =
    base === null
      ? 'it is none'
      : base.username !== '' || base.password !== ''
        ? 'it holds credentials; give them by the environment instead'
        : isProtected(base)
          ? null
          : 'it must be https, or http to this machine';
  if (base === null || why !== null)
    throw new SwitchbackError('E_CONFIG', `The address of the LFS server is refused: ${why}.`);
  base.search = '';
  base.hash = '';
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  return base;
}

function isProtected({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
}

function refused(why: string): SwitchbackError {
  return new SwitchbackError(
    'E_LFS_OBJECT',
    `The LFS server named an address that is not followed: it ${why}.`,
  );
}
