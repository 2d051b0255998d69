import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../clock.ts';
import { DEV, kinds, NEVER, PROD, running, start, until } from '../actuation.contract.ts';
import { localProcessActuation } from './index.ts';
import { find, runs, standIns } from './stand-ins.fixture.ts';
import { startTimeOf } from './system-process.ts';

const place = standIns();
const { actuating, options, record, mark, unmark } = place;

describe('a kept runtime', () => {
  test('replaces a killed runtime at the same address, within a second of noticing', async () => {
    const actuation = actuating({ clock: systemClock });
    await start(actuation, PROD);
    const first = await runs(actuation, PROD);

    const began = performance.now();
    process.kill(first.pid!, 'SIGKILL');
    const state = await until(actuation, now => running(now).some(({ pid }) => pid !== first.pid));

    expect(performance.now() - began).toBeLessThan(5000);
    expect(running(state)[0]?.address).toBe(first.address);
    expect(running(state)[0]?.instanceId).not.toBe(first.instanceId);
    expect(actuation.changes()).toMatchObject([
      { kind: 'started' },
      { kind: 'lost', reason: 'it was ended by SIGKILL', pid: first.pid },
      { kind: 'started' },
    ]);
  });

  test('replaces at once what was killed after it had lived long, and waits where the next dies young', async () => {
    const asked: number[] = [];
    let later = 0;
    const clock: Clock = {
      now: () => systemClock.now() + later,
      sleep: (ms, signal) => {
        asked.push(ms);
        return systemClock.sleep(ms, signal);
      },
    };
    const actuation = actuating({ clock });
    await start(actuation, PROD);
    const first = await runs(actuation, PROD);
    later = 60_000;

    process.kill(first.pid!, 'SIGKILL');
    await until(actuation, now => running(now).some(({ pid }) => pid !== first.pid));
    const waitedFirst = asked.includes(250);
    const second = await runs(actuation, PROD);
    process.kill(second.pid!, 'SIGKILL');
    await until(actuation, now => running(now).some(({ pid }) => pid !== second.pid));

    expect([waitedFirst, asked.includes(250)]).toEqual([false, true]);
  });

  test('kills and replaces a hung runtime, while another is not disturbed', async () => {
    const actuation = actuating();
    await Promise.all([start(actuation, PROD), start(actuation, DEV)]);
    const [hung, other] = [await runs(actuation, PROD), await runs(actuation, DEV)];
    const states = new Set<string>();
    actuation.onChange(() => states.add(find(actuation, DEV)?.state ?? 'none'));

    process.kill(hung.pid!, 'SIGSTOP');
    await until(actuation, state => running(state).some(({ pid }) => ![hung.pid, other.pid].includes(pid)));

    expect(await startTimeOf(hung.pid!)).toBeNull();
    expect(find(actuation, PROD)?.address).toBe(hung.address);
    expect(find(actuation, DEV)).toEqual(other);
    expect([...states]).toEqual(['running']);
    expect(kinds(actuation.changes())).toEqual(['dev started', 'prod started', 'prod lost', 'prod started']);
  });

  test('waits longer with every crash, starts again once it can, and says what happened', async () => {
    const asked: number[] = [];
    const clock: Clock = {
      now: systemClock.now,
      sleep: (ms, signal) => {
        asked.push(ms);
        return systemClock.sleep(ms / 50, signal);
      },
    };
    mark('crash');
    const actuation = actuating({ clock });

    await start(actuation, PROD);
    await until(actuation, () => asked.includes(4000));
    unmark('crash');
    await runs(actuation, PROD);

    const delays = asked.filter(ms => [250, 2000, 4000, 8000, 16_000].includes(ms));
    expect(delays.slice(0, 3)).toEqual([250, 2000, 4000]);
    const [first] = actuation.changes();
    expect(first).toMatchObject({ kind: 'lost', reason: 'it exited with 7', pid: expect.any(Number) });
  });

  test('says what is wrong with a command that can not be run, and goes on trying', async () => {
    const actuation = actuating({ command: [join(place.folder, 'nothing-here')] });

    await start(actuation, PROD);
    await until(actuation, ({ runtimes }) => runtimes[0]?.state === 'lost');

    expect(actuation.changes()[0]?.reason).toContain('nothing-here can not be run');
  });

  test('leaves no process after all were stopped, not even a deaf or a hung one', async () => {
    const actuation = actuating();
    await Promise.all([start(actuation, PROD), start(actuation, DEV)]);
    const [deaf, hung] = [await runs(actuation, PROD), await runs(actuation, DEV)];
    mark('deaf');
    process.kill(hung.pid!, 'SIGSTOP');

    await actuation.stopAll(NEVER);

    expect([await startTimeOf(deaf.pid!), await startTimeOf(hung.pid!)]).toEqual([null, null]);
    expect([record(PROD).process, record(DEV).process]).toEqual([null, null]);
    await using later = localProcessActuation(options());
    expect(later.observe().runtimes).toEqual([]);
  });

  test('does not wait out the grace of a deaf runtime when it has to hurry', async () => {
    const actuation = actuating({ clock: systemClock });
    await start(actuation, PROD);
    const deaf = await runs(actuation, PROD);
    mark('deaf');

    const began = performance.now();
    await actuation.stopAll(AbortSignal.abort());

    expect(performance.now() - began).toBeLessThan(5000);
    expect(await startTimeOf(deaf.pid!)).toBeNull();
  });
});
