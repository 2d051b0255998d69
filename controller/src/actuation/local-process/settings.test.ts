import { setImmediate as turn } from 'node:timers/promises';
import type { Instant } from '@switchback-ml/schemas';
import { describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../clock.ts';
import type { Log } from '../../log.ts';
import { makeLog } from '../../log.ts';
import { NEVER, PROD, running, scale, until, want } from '../actuation.contract.ts';
import type { Actuation, ObservedRuntime } from '../actuation.ts';
import { retryDelayMs } from './patience.ts';
import { FAST, standIns } from './stand-ins.fixture.ts';

/** What a runtime may be late in, and more. */
const LATE_MS = 61_000;

const { actuating, mark, unmark } = standIns();

describe.skipIf(process.platform !== 'linux')('runtimes that shall get other settings', () => {
  test('stay where those that shall follow them can not start, say so once, and go when they can', async () => {
    const { clock, leap } = leaping();
    const { log, errors } = listening();
    const actuation = actuating({ clock, log });
    await scale(actuation, PROD, 2);
    const before = await serves(actuation, 2);
    mark('crash');
    mark('crash', 1);

    await want(actuation, PROD, { runtimes: 2, grpc: true });
    const [stayed] = running(await until(actuation, state => running(state).length === 1));
    leap(LATE_MS);
    await logged(errors, 1);
    leap(LATE_MS);
    await lookedAt(stayed!);
    const meanwhile = running(actuation.observe());
    unmark('crash');
    unmark('crash', 1);
    await want(actuation, PROD, { runtimes: 2, grpc: true, cacheMemory: 128 * 2 ** 20 });
    const pids = before.map(({ pid }) => pid);
    const after = await until(actuation, state => running(state).filter(isOther(pids)).length === 2);

    expect(meanwhile).toEqual([stayed]);
    expect(errors).toEqual([expect.stringContaining('runtime is outdated and stays')]);
    expect(running(after).every(({ grpcAddress }) => grpcAddress !== undefined)).toBe(true);
  });

  test('stay likewise where they ask another controller', async () => {
    const before = actuating();
    await scale(before, PROD, 2);
    await serves(before, 2);
    await before[Symbol.asyncDispose]();
    mark('crash');
    mark('crash', 1);
    const { clock, leap } = leaping();
    const { log, errors } = listening();

    const after = actuating({ clock, log, controllerUrl: 'http://127.0.0.1:2' });
    await scale(after, PROD, 2);
    const [stayed] = running(
      await until(after, state => running(state).length === 1 && state.runtimes.some(isLost)),
    );
    leap(LATE_MS);
    await logged(errors, 1);
    await lookedAt(stayed!);

    expect(running(after.observe())).toEqual([stayed]);
  });

  test('go in time where they were named, whatever the others do', async () => {
    const { clock, leap } = leaping();
    const actuation = actuating({ clock });
    await scale(actuation, PROD, 2);
    const [first, second] = await serves(actuation, 2);
    mark('crash');
    process.kill(first!.pid!, 'SIGKILL');
    await until(actuation, state => running(state).length === 1);

    const named = { environment: PROD, instanceId: second!.instanceId!, reason: 'it is deaf' };
    await actuation.apply({ kind: 'replace-runtime', ...named }, NEVER);
    await lookedAt(second!);
    const meanwhile = running(actuation.observe());
    leap(LATE_MS);
    const after = await until(actuation, state => running(state).some(isOther([second!.pid])));

    expect(meanwhile).toEqual([second]);
    expect(running(after).map(({ replica }) => replica)).toEqual([1]);
  });
});

test('one that died before the next life of the controller starts with the settings that it had', async () => {
  const before = actuating();
  await want(before, PROD, { grpc: true, cacheMemory: 128 * 2 ** 20 });
  const [first] = await runs(before, 1);
  await before[Symbol.asyncDispose]();
  process.kill(first!.pid!, 'SIGKILL');

  const after = actuating();
  const [second] = running(await until(after, state => running(state).some(isOther([first!.pid]))));
  await want(after, PROD, { grpc: true, cacheMemory: 128 * 2 ** 20 });
  await lookedAt(second!);

  expect(await argumentsOf(second!)).toMatchObject({
    ...{ 'cache-mib': '128', 'grpc-port': first!.grpcAddress?.split(':')[1] },
  });
  expect(after.observe().runtimes).toEqual([second]);
});

test.skipIf(process.platform !== 'linux')(
  'one too many that dies while it stays for the others is not started again',
  async () => {
    const actuation = actuating();
    await scale(actuation, PROD, 2);
    const [first, second] = await serves(actuation, 2);
    mark('unready');
    process.kill(first!.pid!, 'SIGKILL');
    await until(
      actuation,
      state => running(state).length === 2 && running(state).some(isOther([first!.pid, second!.pid])),
    );
    await scale(actuation, PROD, 1);
    actuation.changes();

    process.kill(second!.pid!, 'SIGKILL');
    await until(actuation, state => state.runtimes.length === 1);

    expect(actuation.changes().map(({ kind, reason }) => `${kind} ${reason.split(':')[0]}`)).toEqual([
      'lost prod.1',
      'stopped prod.1',
    ]);
  },
);

test('one that waits before it starts again is not delayed by being wanted as before, and tried at once otherwise', async () => {
  const { clock, waits } = holding(retryDelayMs(4));
  const actuation = actuating({ clock });
  mark('crash');
  await want(actuation, PROD, {});
  await eventually(async () => waits.length === 1);

  for (let again = 0; again < 3; again++) {
    await want(actuation, PROD, {});
    await turn();
  }
  const waited = waits.length;
  unmark('crash');
  await want(actuation, PROD, { grpc: true });
  const [there] = await runs(actuation, 1);

  expect(waited).toBe(1);
  expect(there?.grpcAddress).toBeDefined();
});

/** Time goes on and can leap. */
function leaping(): { clock: Clock; leap: (ms: number) => void } {
  let leapt = 0;
  const leap = (ms: number): void => {
    leapt += ms;
  };
  return { clock: { ...FAST, now: (): Instant => FAST.now() + leapt }, leap };
}

/** A wait of just so long ends by its signal alone. */
function holding(heldMs: number): { clock: Clock; waits: number[] } {
  const waits: number[] = [];
  const sleep: Clock['sleep'] = (ms, signal) => {
    if (ms !== heldMs) return FAST.sleep(ms, signal);
    waits.push(ms);
    const { promise, resolve } = Promise.withResolvers<void>();
    signal?.addEventListener('abort', () => resolve(), { once: true });
    return promise;
  };
  return { clock: { ...FAST, sleep }, waits };
}

function listening(): { log: Log; errors: string[] } {
  const errors: string[] = [];
  const log: Log = makeLog('silent');
  return {
    log: { ...pick(log), error: (_: unknown, message?: string) => errors.push(message ?? '') },
    errors,
  };
}

function pick(log: Log): Log {
  const { debug, info, warn, error } = log;
  return {
    debug: debug.bind(log),
    info: info.bind(log),
    warn: warn.bind(log),
    error: error.bind(log),
  };
}

async function runs(actuation: Actuation, count: number): Promise<ObservedRuntime[]> {
  return running(
    await until(actuation, state => state.runtimes.length === count && running(state).length === count),
  );
}

/** Running, and known to answer requests. */
async function serves(actuation: Actuation, count: number): Promise<ObservedRuntime[]> {
  const there = await runs(actuation, count);
  for (const { ownAddress } of there)
    await eventually(async () => (await (await fetch(`${ownAddress}/known-ready`)).text()) === 'true');
  return there;
}

/** Resolves once it was looked at anew, twice: the first look may have begun before. */
async function lookedAt({ ownAddress }: ObservedRuntime): Promise<void> {
  const looks = async (): Promise<number> => Number(await (await fetch(`${ownAddress}/looks`)).text());
  const before = await looks();
  await eventually(async () => (await looks()) >= before + 3);
}

function logged(lines: readonly string[], count: number): Promise<void> {
  return eventually(async () => lines.length >= count);
}

async function eventually(claim: () => Promise<boolean>): Promise<void> {
  for (let round = 0; !(await claim()); round++) {
    if (round > 1000) throw new Error('what was waited for never came');
    await systemClock.sleep(10);
  }
}

async function argumentsOf({ ownAddress }: ObservedRuntime): Promise<Record<string, string>> {
  return (await fetch(`${ownAddress}/arguments`)).json() as Promise<Record<string, string>>;
}

function isOther(pids: readonly (number | null)[]): (runtime: ObservedRuntime) => boolean {
  return ({ pid }) => !pids.includes(pid);
}

function isLost({ state }: ObservedRuntime): boolean {
  return state === 'lost';
}
