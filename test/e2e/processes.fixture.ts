import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** As `ps` tells of it; pid and start together are its identity, since pids come again. */
export interface SeenProcess {
  pid: number;
  parent: number;
  start: string;
  words: string;
}

/** Remembers every process of one world that it ever saw, so that one whose parent died is not forgotten. */
export class Processes {
  readonly #mark: string;
  readonly #seen = new Map<string, SeenProcess>();

  /** @param mark a path that stands in the arguments of everything that is started for this world */
  constructor(mark: string) {
    this.#mark = mark;
  }

  /** Those that live now: marked, started by one that is, or seen earlier. */
  async living(): Promise<SeenProcess[]> {
    const all = await list();
    const ours = new Set(
      all.filter(each => each.words.includes(this.#mark) || this.#seen.has(key(each))).map(({ pid }) => pid),
    );
    ours.delete(process.pid);
    for (let before = 0; before < ours.size; ) {
      before = ours.size;
      for (const { pid, parent } of all) if (ours.has(parent)) ours.add(pid);
    }
    const living = all.filter(({ pid }) => ours.has(pid));
    for (const each of living) this.#seen.set(key(each), each);
    return living;
  }

  async childrenOf(pid: number): Promise<SeenProcess[]> {
    return (await this.living()).filter(({ parent }) => parent === pid);
  }

  /** SIGKILL, by id. */
  kill(...pids: readonly number[]): void {
    this.signal('SIGKILL', ...pids);
  }

  /** By id; whoever has ended meanwhile gets none. */
  signal(signal: NodeJS.Signals, ...pids: readonly number[]): void {
    for (const pid of pids) {
      try {
        process.kill(pid, signal);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
  }
}

const key = ({ pid, start }: SeenProcess): string => `${pid} ${start}`;

/** Zombies have ended, whoever has yet to hear of it. */
async function list(): Promise<SeenProcess[]> {
  const { stdout } = await run('ps', ['-A', '-ww', '-o', 'pid=,ppid=,stat=,lstart=,args='], {
    env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    maxBuffer: 16 * 2 ** 20,
  });
  return stdout.split('\n').flatMap(line => {
    const [, pid, parent, state, start, words] =
      /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\S+ +\S+ +\S+ +\S+ +\S+) (.*)$/.exec(line) ?? [];
    if (!pid || !parent || !start || state?.startsWith('Z')) return [];
    return [{ pid: Number(pid), parent: Number(parent), start, words: words ?? '' }];
  });
}
