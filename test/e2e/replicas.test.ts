import { readFile } from 'node:fs/promises';
import { EnvironmentName, runtimeName } from '@switchback-ml/schemas';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Place, type Runtime } from './replicas.fixture.ts';
import type { Failure } from './replicas-load.fixture.ts';
import { PATIENCE_MS } from './world.fixture.ts';

const bound = { timeout: 2 * PATIENCE_MS };
const RESET = /ECONNRESET|EPIPE/;

describe.skipIf(process.platform !== 'linux')('several runtimes of one environment', () => {
  let place: Place;
  beforeAll(async () => {
    place = await Place.open({ runtimes: 2 });
  }, 2 * PATIENCE_MS);
  afterAll(() => place?.[Symbol.asyncDispose](), PATIENCE_MS);

  test('are named one by one by status, and doctor finds each of them well', bound, async () => {
    const [first, second] = await place.runs(2);

    const text = await place.switchback('status');
    const checks = await place.until('a content doctor', async () => {
      const diagnosis = JSON.parse(await place.switchback('doctor', '-o', 'json')) as Diagnosis;
      const ofRuntimes = diagnosis.checks.filter(({ name }) => name.startsWith('runtime of '));
      return ofRuntimes.every(({ state }) => state === 'ok') ? ofRuntimes : null;
    });

    const [zero, one] = namesOf(2);
    expect(text).toContain(`  ${zero} running ${first?.address}, ${one} running ${second?.address}\n`);
    expect(checks.map(({ name }) => name)).toEqual([`runtime of ${zero}`, `runtime of ${one}`]);
    expect(checks.map(({ said }) => said.includes('1 of 1 revisions ready'))).toEqual([true, true]);
    expect(place.load.failures()).toEqual([]);
  });

  test('become one and then three by commit, which fails no request', bound, async () => {
    const [first, second] = await place.runs(2);
    await place.load.keepOneTo(pidsOf([first!, second!]));

    await place.target({ runtimes: 1 });
    const one = await place.runs(1);
    await gone(second!.pid);
    await place.load.more(20);
    const ofLeaving = place.load.failures();
    await place.target({ runtimes: 3 });
    const three = await place.runs(3);
    await place.load.more(20);

    expect(one).toEqual([first]);
    expect(three[0]).toEqual(first);
    expect(three.map(({ name }) => name)).toEqual(namesOf(3));
    expectUnhurt(ofLeaving, 1);
    expect(place.load.failures()).toEqual([]);
  });

  test('are replaced one after another for other settings, which fails no request', bound, async () => {
    const before = await place.runs(3);
    await place.load.keepOneTo(pidsOf(before));

    await place.target({ runtimes: 3, cacheMemory: '32Mi' });
    const after = await place.runs(3, runtimes =>
      pidsOf(runtimes).every(pid => !pidsOf(before).includes(pid)),
    );
    await place.load.more(20);

    expect(after).toEqual(before.map((runtime, index) => ({ ...runtime, pid: after[index]?.pid })));
    expectUnhurt(place.load.failures(), 3);
  });

  test('lose one to a kill: who had asked it is answered at a second try', bound, async () => {
    const before = await place.runs(3);
    const [first, victim, third] = before;
    await place.load.keepOneTo(pidsOf(before));
    expect(place.load.failures()).toEqual([]);

    // Its engines could not be told for its own once it is gone.
    await place.processes.living();
    // With a request aboard, surely.
    place.processes.signal('SIGSTOP', victim!.pid);
    await stopped(victim!.pid);
    await place.load.aboard(victim!.pid);
    place.processes.kill(victim!.pid);
    await gone(victim!.pid);
    const goneAt = performance.now();
    const after = await place.runs(3, runtimes => runtimes.every(({ pid }) => pid !== victim!.pid));
    await place.load.more(20);
    const failures = place.load.failures();

    expect(failures.map(({ connection }) => connection)).toContain('kept');
    expect(failures.filter(({ openedAt, why }) => openedAt > goneAt || !RESET.test(why))).toEqual([]);
    expect(failures.filter(({ again }) => again !== null)).toEqual([]);
    expect(after).toEqual([first, { ...victim, pid: after[1]?.pid }, third]);
    expect((await place.events('runtime.lost')).at(-1)?.data['pid']).toBe(victim!.pid);
  });

  test('go on when the controller is killed, and are all adopted by the next', bound, async () => {
    const before = await place.runs(3);
    const { controller } = place;

    place.processes.kill(controller!);
    await place.until('the next controller', async () =>
      place.controller === controller ? null : place.controller,
    );
    const after = await place.runs(3);
    await place.load.more(20);
    const adopted = await place.events('runtime.adopted');

    expect(after).toEqual(before);
    expect(adopted.map(({ data }) => data['pid']).toSorted()).toEqual(pidsOf(before).toSorted());
    expect(place.load.failures()).toEqual([]);
  });

  test('leave no process behind when all is stopped', bound, async () => {
    const there = await place.processes.living();
    const left = await place.stop();

    expect(there.length).toBeGreaterThanOrEqual(1 + 3 * 2);
    expect(left).toEqual([]);
    expect(place.load.failures()).toEqual([]);
  });
});

interface Diagnosis {
  checks: { name: string; state: string; said: string }[];
}

function namesOf(count: number): string[] {
  return Array.from({ length: count }, (_, replica) => runtimeName(EnvironmentName.parse('prod'), replica));
}

function pidsOf(runtimes: readonly Runtime[]): number[] {
  return runtimes.map(({ pid }) => pid);
}

/**
 * A connection that comes in the very microseconds in which a runtime leaves is reset, unless the system hands it over
 * (target.local.runtimes in docs/reference/manifests.md). One for each that left may be so unlucky; nothing else is.
 */
function expectUnhurt(failures: readonly Failure[], left: number): void {
  const isUnlucky = ({ connection, why, again }: Failure): boolean =>
    connection === 'new' && RESET.test(why) && again === null;
  expect(failures.filter(failure => !isUnlucky(failure))).toEqual([]);
  expect(failures.length).toBeLessThanOrEqual(left);
}

/** Once its parent has been told of its end, by when all that it held open is closed. */
function gone(pid: number): Promise<void> {
  return stateIs(pid, null);
}

function stopped(pid: number): Promise<void> {
  return stateIs(pid, 'T');
}

/** As proc(5) gives it; null: there is no such process. */
async function stateIs(pid: number, wanted: string | null): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  while (performance.now() < until) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
    if ((stat === null ? null : stat.slice(stat.lastIndexOf(')') + 2)[0]) === wanted) return;
  }
  throw new Error(`process ${pid} is not in state ${wanted} within ${PATIENCE_MS / 1000} s`);
}
