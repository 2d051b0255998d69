import { tmpdir } from 'node:os';
import { gitEnvironment } from '../../repository/git-cli/environment.ts';
import { type Git, gitRunner } from '../../repository/git-cli/run.ts';
import { ask } from '../doctor/program.ts';

/** What git takes of a person's environment to find that person's settings; `git lfs install` writes to them. */
const SETTINGS = [
  'HOME',
  'XDG_CONFIG_HOME',
  'GIT_CONFIG_GLOBAL',
  'GIT_CONFIG_SYSTEM',
  'GIT_CONFIG_NOSYSTEM',
] as const;

export type Environment = Readonly<Record<string, string | undefined>>;

/** The git repository that a working folder belongs to; read only, and no remote is asked. */
export interface Clone {
  /** With settings of ours, for what must not depend on anybody's. */
  git: Git;
  /** Of the working folder below the top of the repository: empty, or `ml/`. */
  root: string;
  /** What git says in the folder with the person's own settings; empty where it refuses. */
  said(...args: string[]): Promise<string>;
}

/** Null where the folder is in no git repository, or there is no git. */
export async function findClone(
  folder: string,
  { environment, signal }: { environment: Environment; signal: AbortSignal },
): Promise<Clone | null> {
  const settings = settingsIn(environment);
  const said = async (...args: string[]): Promise<string> => {
    const { code, stdout } = await ask(['git', '-C', folder, ...args], { environment: settings, signal });
    return code === 0 ? stdout.replace(/\n$/, '') : '';
  };
  const directory = await said('rev-parse', '--absolute-git-dir');
  if (directory === '' || (await said('rev-parse', '--is-inside-work-tree')) !== 'true') return null;
  const root = await said('rev-parse', '--show-prefix');
  const hardened = gitEnvironment({ kind: 'file', home: tmpdir(), extra: {} });
  const git = gitRunner({ directory, home: tmpdir(), environment: hardened, secrets: [] });
  return { git, root, said };
}

export function settingsIn(environment: Environment): Record<string, string> {
  return Object.fromEntries(
    SETTINGS.flatMap(name => (environment[name] === undefined ? [] : [[name, environment[name]]])),
  );
}
