import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SwitchbackError } from '../error.ts';

/** Where a repository lives. `url` is what git is given; it never holds a credential. */
export type RemoteUrl =
  | { kind: 'https' | 'http' | 'ssh'; url: string }
  /** A bare repository in a folder of this machine. */
  | { kind: 'file'; url: string; path: string };

const LONGEST_URL = 2000;
const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);
const SCP_LIKE =
  /^[A-Za-z0-9_][-._A-Za-z0-9]*@[A-Za-z0-9][-.A-Za-z0-9]*:(?!-)[~/._A-Za-z0-9][-~/._A-Za-z0-9]*$/;
/** No white space, control or shell character, no backslash, no query, no fragment. */
const PLAIN = /^[-~/._+:@%[\]A-Za-z0-9]+$/;
const ENCODED_CONTROL = /%(?:[01][0-9a-f]|7f)/i;

/**
 * The strict grammar of remotes: https, http to this machine alone, ssh, and a local path where the operator allows
 * it. Everything else, `ext::` and credentials in the address first of all, is refused before git sees it.
 */
export function parseRemoteUrl(text: string, { allowFile }: { allowFile: boolean }): RemoteUrl {
  if (text.length > LONGEST_URL) throw refused('it is longer than any address has to be');
  if (isAbsolute(text) || text.startsWith('file:')) return fileRemote(text, allowFile);
  if (!PLAIN.test(text) || ENCODED_CONTROL.test(text) || text.startsWith('-'))
    throw refused('it has characters that no remote needs');
  if (SCP_LIKE.test(text)) return { kind: 'ssh', url: text };

  const url = URL.parse(text);
  if (url === null) throw refused('it is not an address such as https://host/team/models.git');
  if (url.password !== '') throw refused('it holds a password; give credentials by the environment instead');
  switch (url.protocol) {
    case 'ssh:':
      return { kind: 'ssh', url: text };
    case 'https:':
    case 'http:':
      return webRemote(url);
    default:
      throw refused(`${url.protocol} is not one of https, ssh, and http to this machine`);
  }
}

/** The host may be this machine under its own name for itself; used for http, which has no protection of its own. */
export function isLoopback(hostname: string): boolean {
  return LOOPBACK.has(hostname);
}

function webRemote(url: URL): RemoteUrl {
  if (url.username !== '') throw refused('it holds a user name; give credentials by the environment instead');
  if (url.pathname === '/') throw refused('it has no path to a repository');
  if (url.protocol === 'https:') return { kind: 'https', url: url.href };
  if (!isLoopback(url.hostname))
    throw refused('http without encryption is for this machine alone; use https');
  return { kind: 'http', url: url.href };
}

function fileRemote(text: string, allowFile: boolean): RemoteUrl {
  if (!allowFile) throw refused('a local path must be allowed by the operator');
  const path = text.startsWith('file:') ? pathOf(text) : text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the point
  if (path.split('/').includes('..') || /[\u0000-\u001f]/.test(path))
    throw refused('the path has ".." or control characters');
  return { kind: 'file', url: path, path };
}

function pathOf(text: string): string {
  try {
    return fileURLToPath(text);
  } catch (cause) {
    throw refused('it is not a file address of this machine', cause);
  }
}

/** The address itself is not repeated: it may hold the very password that it is refused for. */
function refused(why: string, cause?: unknown): SwitchbackError {
  return new SwitchbackError('E_GIT_REMOTE_URL', `The address of the model repository is refused: ${why}.`, {
    cause,
  });
}
