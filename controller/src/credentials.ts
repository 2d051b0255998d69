import { homedir } from 'node:os';
import { SwitchbackError } from './error.ts';
import type { RemoteUrl } from './repository/remote-url.ts';

/** What git and LFS need to be let in; the values go to the one host of the repository and into no message. */
export interface Credentials {
  /** For git's processes. */
  environment: Readonly<Record<string, string>>;
  /** For LFS, the whole header; absent where none is known. */
  authorization?: string;
}

/**
 * Rights of the controller on its remote, from its own environment: `SWITCHBACK_GIT_TOKEN` (with
 * `SWITCHBACK_GIT_USERNAME` where the forge wants one) over https, the agent and keys of its account over ssh. The
 * token is handed to git as configuration of its process, never in an address or on a command line.
 */
export function credentialsFor(
  remote: RemoteUrl,
  environment: Readonly<Record<string, string | undefined>>,
): Credentials {
  const token = environment['SWITCHBACK_GIT_TOKEN'];
  if (remote.kind === 'ssh') {
    const agent = environment['SSH_AUTH_SOCK'];
    return {
      environment: { HOME: environment['HOME'] ?? homedir(), ...(agent ? { SSH_AUTH_SOCK: agent } : {}) },
    };
  }
  if (!token || remote.kind === 'file') return { environment: {} };
  if (/[\r\n]/.test(token)) {
    throw new SwitchbackError(
      'E_CONFIG',
      'SWITCHBACK_GIT_TOKEN holds a line break; set it to the token alone.',
    );
  }
  const username = environment['SWITCHBACK_GIT_USERNAME'] ?? 'x-access-token';
  const authorization = `Basic ${Buffer.from(`${username}:${token}`).toString('base64')}`;
  return {
    authorization,
    environment: {
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: `http.${new URL(remote.url).origin}/.extraHeader`,
      GIT_CONFIG_VALUE_0: `Authorization: ${authorization}`,
    },
  };
}
