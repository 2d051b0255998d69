import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { sharedWork } from './shared-work.ts';

const never = new AbortController().signal;

describe('sharedWork', () => {
  it('runs different keys beside each other and the same key again once it is done', async () => {
    const shared = sharedWork<string>('closed');
    const runs: string[] = [];
    const work = (key: string) => async (): Promise<string> => {
      runs.push(key);
      return key;
    };

    expect(await Promise.all([shared.run('a', work('a'), never), shared.run('b', work('b'), never)])).toEqual(
      ['a', 'b'],
    );
    await shared.run('a', work('a'), never);

    expect(runs).toEqual(['a', 'b', 'a']);
  });

  it('gives a failure to all who wait, and tries anew for the next', async () => {
    const shared = sharedWork<string>('closed');
    const failing = async (): Promise<string> => {
      throw new Error('no');
    };

    const outcomes = await Promise.allSettled([
      shared.run('a', failing, never),
      shared.run('a', failing, never),
    ]);

    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await shared.run('a', async () => 'yes', never)).toBe('yes');
  });

  it('starts nothing for a signal that was aborted before', async () => {
    const shared = sharedWork<string>('closed');
    let isStarted = false;

    const run = shared.run(
      'a',
      async () => {
        isStarted = true;
        return 'a';
      },
      AbortSignal.abort(new Error('too late')),
    );

    await expect(run).rejects.toThrow('too late');
    expect(isStarted).toBe(false);
  });

  it('is closed only when its work has ended, also work that nobody waits for any more', async () => {
    const shared = sharedWork<string>('closed');
    const ended: string[] = [];
    const slowToEnd =
      (name: string) =>
      async (signal: AbortSignal): Promise<string> => {
        await once(signal, 'abort');
        for (let turn = 0; turn < 20; turn++) await setImmediate();
        ended.push(name);
        throw signal.reason;
      };
    const leaving = new AbortController();
    const left = shared.run('left', slowToEnd('left'), leaving.signal);
    const waiting = shared.run('waiting', slowToEnd('waiting'), never);
    leaving.abort(new Error('enough'));
    await expect(left).rejects.toThrow('enough');
    const outcome = expect(waiting).rejects.toMatchObject({ code: 'E_LFS_UNREACHABLE', message: 'closed' });

    await shared.close();

    expect(ended.sort()).toEqual(['left', 'waiting']);
    await outcome;
  });

  it('never runs a key twice at once, also when the first run is slow to give up', async () => {
    const shared = sharedWork<string>('closed');
    const said: string[] = [];
    const leaving = new AbortController();
    const left = shared.run(
      'key',
      async signal => {
        await once(signal, 'abort');
        for (let turn = 0; turn < 20; turn++) await setImmediate();
        said.push('first has ended');
        throw signal.reason;
      },
      leaving.signal,
    );
    leaving.abort(new Error('enough'));
    await expect(left).rejects.toThrow('enough');

    const next = shared.run('key', async () => String(said.push('second begins')), never);

    expect(await next).toBe('2');
    expect(said).toEqual(['first has ended', 'second begins']);
  });
});
