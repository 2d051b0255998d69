import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SwitchbackError } from '../../error.ts';

const TIMEOUT_MS = 10_000;
const UNSET = 1;

/** Who runs the command, with the git rights of their own shell. */
export interface Person {
  name: string;
  email: string;
  /** For git: home, agents, helpers and tokens as the person's own git would find them. */
  environment: Readonly<Record<string, string>>;
}

export interface PersonRequest {
  /** Where git looks for settings of a repository that one stands in. */
  directory: string;
  environment: Readonly<Record<string, string | undefined>>;
  signal: AbortSignal;
}

/** Throws E_CONFIG when git does not know who this is. */
export async function readPerson(request: PersonRequest): Promise<Person> {
  const { directory, environment, signal } = request;
  const own = personEnvironment(environment);
  const setting = (name: string): Promise<string | null> => gitSetting(name, { directory, own, signal });
  const name = environment['GIT_AUTHOR_NAME'] ?? (await setting('user.name'));
  const email = environment['GIT_AUTHOR_EMAIL'] ?? (await setting('user.email'));
  if (!name || !email)
    throw new SwitchbackError(
      'E_CONFIG',
      'git does not know who you are, and a commit needs an author. Run: git config --global user.name "…" and git config --global user.email "…"',
    );
  return { name, email, ...(await readRights(request)) };
}

/** What git needs to read as this person; who they are plays no part. */
export async function readRights({
  directory,
  environment,
  signal,
}: PersonRequest): Promise<Pick<Person, 'environment'>> {
  const own = personEnvironment(environment);
  const ssh = own['GIT_SSH_COMMAND'] ?? (await gitSetting('core.sshCommand', { directory, own, signal }));
  return { environment: { ...own, ...(ssh ? { GIT_SSH_COMMAND: ssh } : {}) } };
}

/** How the person is called in the event log: git's name for them, else the system's. */
export async function readPersonName(request: PersonRequest): Promise<string> {
  try {
    return (await readPerson(request)).name;
  } catch {
    request.signal.throwIfAborted();
    return userInfo().username;
  }
}

/** Whatever a credential helper, an ssh agent or a proxy may need; nothing that points git at another repository. */
const HANDED_OVER =
  /^(?:HOME|USER|LOGNAME|LANG|XDG_\w+|SSH_\w+|GIT_(?:ASKPASS|SSH|SSH_COMMAND|SSH_VARIANT|SSL_\w+|PROXY_\w+|HTTP_\w+|CONFIG_GLOBAL|CONFIG_SYSTEM)|DISPLAY|WAYLAND_DISPLAY|DBUS_SESSION_BUS_ADDRESS|GNUPGHOME|GPG_TTY|(?:GH|GITHUB|GITLAB|GLAB|CI_JOB)_\w*TOKEN\w*|(?:https?|all|no)_proxy|(?:HTTPS?|ALL|NO)_PROXY)$/;

function personEnvironment(environment: PersonRequest['environment']): Record<string, string> {
  const handed: Record<string, string> = { HOME: homedir(), GIT_CONFIG_NOSYSTEM: '0' };
  for (const [name, value] of Object.entries(environment))
    if (value !== undefined && HANDED_OVER.test(name)) handed[name] = value;
  return { ...handed, ...globalSettings(handed) };
}

/** git reads two files of a person, but one variable names one: the other is included. */
function globalSettings(environment: Record<string, string>): Record<string, string> {
  if (environment['GIT_CONFIG_GLOBAL'] !== undefined) return {};
  const home = environment['HOME'] ?? homedir();
  const plain = join(home, '.gitconfig');
  const xdg = join(environment['XDG_CONFIG_HOME'] ?? join(home, '.config'), 'git', 'config');
  if (!existsSync(xdg)) return { GIT_CONFIG_GLOBAL: plain };
  if (!existsSync(plain)) return { GIT_CONFIG_GLOBAL: xdg };
  const include = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'include.path', GIT_CONFIG_VALUE_0: xdg };
  return { GIT_CONFIG_GLOBAL: plain, ...include };
}

async function gitSetting(
  name: string,
  { directory, own, signal }: { directory: string; own: Record<string, string>; signal: AbortSignal },
): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)('git', ['config', '--get', name], {
      cwd: directory,
      env: { PATH: process.env['PATH'], ...own },
      timeout: TIMEOUT_MS,
      maxBuffer: 65_536,
      signal,
    });
    return stdout.trim() || null;
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === UNSET) return null;
    signal.throwIfAborted();
    const isMissing = code === 'ENOENT';
    throw new SwitchbackError(
      isMissing ? 'E_GIT_MISSING' : 'E_GIT_FAILED',
      isMissing
        ? 'git is not installed or not on PATH. Install git 2.38 or newer.'
        : `git could not read its setting ${name}; run "git config --get ${name}" to see why.`,
      { cause: error },
    );
  }
}
