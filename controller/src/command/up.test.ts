import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isAlive, startTimeOf } from '../actuation/local-process/system-process.ts';
import { type Clock, systemClock } from '../clock.ts';
import { status } from './status.ts';
import { type UpOptions, up } from './up.ts';

const CONTROLLER = fileURLToPath(new URL('./up/small-controller.fixture.ts', import.meta.url));

let state: string;
beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'switchback-up-'));
});
afterEach(() => rm(state, { recursive: true, force: true }));

function options(overrides: Partial<UpOptions> = {}): UpOptions {
  return {
    repo: 'https://example.invalid/models.git',
    state,
    controller: [process.execPath, CONTROLLER],
    ...overrides,
  };
}

/** Watches for the event itself, with a bound. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 15_000;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error('it did not come to pass');
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}

const isRunning = async (pid: number): Promise<boolean> => (await startTimeOf(pid)) !== null;

/** Long patience ends at once; what is looked at again and again takes its time. */
const impatient: Clock = {
  now: systemClock.now,
  sleep: (ms, signal) => systemClock.sleep(ms >= 10_000 ? 1 : ms, signal),
};

describe('up', () => {
  it('waits until the controller is ready, says what it waits for, and leaves nothing running after stop', async () => {
    const waits: string[] = [];

    const running = await up(options({ progress: doing => waits.push(doing) }));
    const pid = running.pid() ?? 0;

    expect(running).toMatchObject({ unready: null, state });
    expect(waits).toEqual(expect.arrayContaining(['waiting: no commit has been acted on yet']));
    expect((await status({ state })).address).toBe(running.address);
    expect(await isRunning(pid)).toBe(true);
    await running.stop();
    expect(await isRunning(pid)).toBe(false);
    expect(await running.exited).toBe('it was stopped');
  });

  it('refuses a state directory that another up has, and takes over one whose holder is dead', async () => {
    {
      await using first = await up(options());
      await expect(up(options())).rejects.toMatchObject({
        code: 'E_CONFLICT',
        message: expect.stringContaining(`process ${process.pid}`),
      });
      expect(await isRunning(first.pid() ?? 0)).toBe(true);
    }
    writeFileSync(
      join(state, 'up.json'),
      JSON.stringify({ pid: process.pid, startTime: 'of an earlier process' }),
    );

    await using second = await up(options());

    const lock = JSON.parse(readFileSync(join(state, 'up.json'), 'utf8'));
    expect(await isAlive(lock)).toBe(true);
    expect(second.unready).toBeNull();
  });

  it('starts the controller again when it is killed', async () => {
    const ends: string[] = [];
    await using running = await up(options({ onRestart: how => ends.push(how) }));
    const first = running.pid() ?? 0;

    process.kill(first, 'SIGKILL');

    await until(() => running.pid() !== null && running.pid() !== first);
    expect(ends).toEqual(['it was ended by SIGKILL']);
    await until(async () => (await status({ state }).catch(() => null)) !== null);
  });

  it('gives up on a controller that never starts, in the last words of its log', async () => {
    await expect(up(options({ branch: 'broken' }))).rejects.toMatchObject({
      code: 'E_INTERNAL',
      message: 'The controller can not start: it exited with 3: the ledger can not be opened: disk full.',
    });

    await using later = await up(options());
    expect(later.unready).toBeNull();
  });

  it('is up, and says why it is not ready, when the patience ends before the repository answers', async () => {
    let now = 0;
    const clock: Clock = {
      now: () => now,
      // A machine may be slow to start it; patience is spent once it listens.
      sleep: async () => {
        if (existsSync(join(state, 'controller.json'))) now += 5000;
        await new Promise(resolve => setTimeout(resolve, 50));
      },
    };

    await using running = await up(options({ branch: 'unready', clock }));

    expect(running.unready).toBe('no commit has been acted on yet');
  });

  it('kills a controller that does not end when it is asked to', async () => {
    const running = await up(options({ branch: 'stubborn', clock: impatient }));
    const pid = running.pid() ?? 0;
    await running.stop();

    expect(await isRunning(pid)).toBe(false);
  });

  it('refuses a folder that is not there before anything starts', async () => {
    await expect(up(options({ repo: join(state, 'nowhere.git') }))).rejects.toMatchObject({
      code: 'E_CONFIG',
    });
  });

  it('stops in order when it is cut short while it waits', async () => {
    const leaving = new AbortController();
    const starting = up(
      options({ branch: 'unready', progress: () => leaving.abort(), signal: leaving.signal }),
    );

    await expect(starting).rejects.toThrow();

    await using next = await up(options());
    expect(next.unready).toBeNull();
  });
});
