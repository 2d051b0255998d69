import { spawn } from 'node:child_process';
import { z } from 'zod';
import { SwitchbackError } from '../../error.ts';
import type { Person } from '../workspace/person.ts';

const TIMEOUT_MS = 30_000;
const LARGEST_ANSWER = 64 * 1024;

/** What `git-lfs-authenticate` prints: where the objects go, and with which header. */
const Granted = z.object({
  href: z.url(),
  header: z.object({ Authorization: z.string().optional() }).optional(),
});

/** The header that the person's own credential helpers give for an address; null when they know none. */
export async function gitCredential(url: URL, person: Person, signal: AbortSignal): Promise<string | null> {
  const asked = `protocol=${url.protocol.slice(0, -1)}\nhost=${url.host}\npath=${url.pathname.slice(1)}\n\n`;
  const answer = await ask(['git', 'credential', 'fill'], { input: asked, person, signal });
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}=(.*)$`, 'm').exec(answer ?? '')?.[1];
  const [username, password] = [field('username'), field('password')];
  if (!username || !password) return null;
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** LFS endpoint and header of an ssh remote, which the forge tells to whoever may push there. */
export async function lfsBySsh(
  remote: string,
  person: Person,
  signal: AbortSignal,
): Promise<{ url: string; authorization?: string }> {
  const { host, port, path } = sshParts(remote);
  const command = person.environment['GIT_SSH_COMMAND'] ?? 'ssh -o BatchMode=yes -o ConnectTimeout=20';
  const args = [...(port ? ['-p', port] : []), host, `git-lfs-authenticate ${path} upload`];
  const answer = await ask(['sh', '-c', `${command} "$@"`, 'ssh', ...args], { input: '', person, signal });
  const granted = Granted.safeParse(parseJson(answer));
  if (!granted.success)
    throw new SwitchbackError(
      'E_LFS_UNREACHABLE',
      `${host} does not say where its LFS objects go (git-lfs-authenticate). Check that you may push there, or name the endpoint by --lfs.`,
    );
  const authorization = granted.data.header?.Authorization;
  return { url: granted.data.href, ...(authorization ? { authorization } : {}) };
}

/** `user@host:path` and `ssh://user@host:port/path`, both already through the grammar of remotes. */
function sshParts(remote: string): { host: string; port: string; path: string } {
  const url = remote.startsWith('ssh://') ? URL.parse(remote) : null;
  if (url) {
    const host = `${url.username ? `${url.username}@` : ''}${url.hostname}`;
    return { host, port: url.port, path: url.pathname.replace(/^\//, '') };
  }
  const at = remote.indexOf(':');
  return { host: remote.slice(0, at), port: '', path: remote.slice(at + 1) };
}

function parseJson(text: string | null): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return null;
  }
}

/** Standard output, or null when the program failed: it then knows nothing for us. Its words may hold secrets. */
function ask(
  [program = '', ...args]: readonly string[],
  { input, person, signal }: { input: string; person: Person; signal: AbortSignal },
): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: { PATH: process.env['PATH'], ...person.environment, GIT_TERMINAL_PROMPT: '0' },
      stdio: ['pipe', 'pipe', 'ignore'],
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      killSignal: 'SIGKILL',
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(0, LARGEST_ANSWER);
    });
    child.on('error', () => {});
    child.on('close', code => {
      if (signal.aborted) reject(signal.reason);
      else resolve(code === 0 ? output : null);
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
