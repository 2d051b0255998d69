import type { RemoteUrl } from '../remote-url.ts';

/** Set on every call, so that neither the clone's own config nor a person's changes what git does. */
const CONFIG = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.quotePath=false',
  'fetch.fsckObjects=true',
  'transfer.fsckObjects=true',
  'fetch.recurseSubmodules=false',
  'push.recurseSubmodules=no',
  'push.gpgSign=false',
  'submodule.recurse=false',
  'log.showSignature=false',
  'log.mailmap=false',
  // Every fetch goes through index-pack, which streams what is large and whose bytes can be watched.
  'fetch.unpackLimit=1',
  'transfer.unpackLimit=1',
  'core.bigFileThreshold=16m',
  // Objects of a refused or rewritten line must stay readable: nothing is ever pruned behind our back.
  'gc.auto=0',
  'maintenance.auto=false',
  'protocol.version=2',
  // A redirect could carry an Authorization header to another host.
  'http.followRedirects=false',
  // Bytes a second, over seconds: a silent remote ends by itself.
  'http.lowSpeedLimit=1',
  'http.lowSpeedTime=20',
];

export const CONFIG_ARGUMENTS: readonly string[] = CONFIG.flatMap(setting => ['-c', setting]);

/** Given after whatever the caller passed, so that it can't be talked out of them. */
const FIXED = {
  LC_ALL: 'C',
  GIT_TERMINAL_PROMPT: '0',
  GIT_LFS_SKIP_SMUDGE: '1',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_ADVICE: '0',
  // Of one piece of memory: a small pack may say that it unfolds to anything.
  GIT_ALLOC_LIMIT: '512m',
};

export interface EnvironmentRequest {
  kind: RemoteUrl['kind'];
  /** An empty folder of our own, so that no `.gitconfig`, `.netrc` or `.ssh` of this machine is read. */
  home: string;
  /** A person's own credentials and settings; the controller gives only what the operator configured. */
  extra: Readonly<Record<string, string>>;
}

/** An environment built from nothing. */
export function gitEnvironment({ kind, home, extra }: EnvironmentRequest): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
    HOME: home,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_SSH_COMMAND:
      'ssh -o BatchMode=yes -o ConnectTimeout=20 -o ServerAliveInterval=10 -o ServerAliveCountMax=2',
    ...extra,
    ...FIXED,
    GIT_ALLOW_PROTOCOL: kind,
  };
}
