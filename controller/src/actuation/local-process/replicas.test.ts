import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { EnvironmentName } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../clock.ts';
import { NEVER, PROD, running, scale, until, want } from '../actuation.contract.ts';
import type { Actuation, ObservedRuntime, ObservedState } from '../actuation.ts';
import { engineMemoryBytes } from './engine-memory.ts';
import { ProcessRecord, processFile } from './process-record.ts';
import { FAST, STAND_IN, standIns } from './stand-ins.fixture.ts';
import { startTimeOf } from './system-process.ts';

/** Times that somebody rested. */
let looks = 0;
const place = standIns({
  now: FAST.now,
  sleep: (ms, signal) => {
    looks++;
    return FAST.sleep(ms, signal);
  },
});
const { actuating, options, mark, unmark } = place;
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

describe.skipIf(process.platform !== 'linux')('several runtimes of one environment', () => {
  test('are all adopted by the next life of the controller', async () => {
    const before = actuating();
    await scale(before, PROD, 3);
    const first = await runs(before, 3);
    await before[Symbol.asyncDispose]();

    const after = actuating();
    await scale(after, PROD, 3);
    const second = await runs(after, 3);

    expect(second).toEqual(first);
    expect(
      after
        .changes()
        .map(({ kind, reason }) => `${kind} ${reason.split(':')[0]}`)
        .toSorted(),
    ).toEqual([...['adopted prod.0', 'adopted prod.1', 'adopted prod.2']]);
  });

  test('are found by the first life that asks for fewer, although nobody had said how many', async () => {
    const before = actuating();
    await scale(before, PROD, 2);
    const first = await runs(before, 2);
    await before[Symbol.asyncDispose]();

    const after = actuating();
    await scale(after, PROD, 1);
    const { runtimes } = await until(
      after,
      state => state.runtimes.length === 1 && running(state).length === 1,
    );

    expect(runtimes).toEqual([first[0]]);
    expect(await startTimeOf(first[1]!.pid!)).toBeNull();
  });

  test('lose one to a kill, which is replaced and joins once it is ready; the other is left alone', async () => {
    const actuation = actuating();
    await scale(actuation, PROD, 2);
    const [first, second] = await serves(actuation, 2);

    process.kill(second!.pid!, 'SIGKILL');
    await until(actuation, state =>
      running(state).some(each => ![first!.pid, second!.pid].includes(each.pid)),
    );
    const after = await runs(actuation, 2);

    expect(after[0]).toEqual(first);
    expect(after[1]).toMatchObject({ address: first!.address, ownAddress: second!.ownAddress });
    expect(await argumentsOf(after[1]!)).toMatchObject({ 'share-port': 'when-ready' });
    expect(await argumentsOf(first!)).toMatchObject({ 'share-port': 'at-once' });
  });

  test('are replaced one after another for other settings: one serves at any time', async () => {
    const actuation = actuating();
    await want(actuation, PROD, { runtimes: 2 });
    const before = await serves(actuation, 2);
    const fewest: number[] = [];
    actuation.onChange(() => fewest.push(running(actuation.observe()).length));

    await want(actuation, PROD, { runtimes: 2, cacheMemory: 128 * 2 ** 20, grpc: true });
    const pids = before.map(({ pid }) => pid);
    const isNew = (state: ObservedState) =>
      running(state).length === 2 && running(state).every(({ pid }) => !pids.includes(pid));
    const after = running(await until(actuation, isNew));

    expect(Math.min(...fewest)).toBe(1);
    expect(after[0]?.address).toBe(before[0]?.address);
    expect(after[0]?.grpcAddress).toBe(after[1]?.grpcAddress);
    expect(await argumentsOf(after[1]!)).toMatchObject({
      ...{ 'cache-mib': '128', 'grpc-port': after[1]!.grpcAddress!.split(':')[1] },
    });
  });

  test('share the memory that engines may have, with those of other environments as well', async () => {
    const actuation = actuating();
    const others = EnvironmentName.parse('staging');
    const third = Math.floor(engineMemoryBytes(3)! / 2 ** 20);

    await want(actuation, others, {});
    const [alone] = await runs(actuation, 1);
    await scale(actuation, PROD, 2);
    const all = await runs(actuation, 3);

    const toldOf = async (each: ObservedRuntime) => (await argumentsOf(each))['engine-memory-mib'];
    expect(await toldOf(alone!)).toBe('');
    const told = await Promise.all(all.filter(({ environment }) => environment === PROD).map(toldOf));
    expect(told).toEqual([String(third), String(third)]);
  });

  test('go down to one only once that one serves', async () => {
    const actuation = actuating();
    await scale(actuation, PROD, 2);
    const [first, second] = await serves(actuation, 2);
    mark('unready');
    process.kill(first!.pid!, 'SIGKILL');
    await until(actuation, state =>
      running(state).some(({ pid }) => ![first!.pid, second!.pid].includes(pid)),
    );

    await scale(actuation, PROD, 1);
    await looked(10);
    const meanwhile = running(actuation.observe()).length;
    unmark('unready');
    const { runtimes } = await until(actuation, state => state.runtimes.length === 1);

    expect(meanwhile).toBe(2);
    expect(runtimes[0]?.replica).toBe(0);
  });

  test('stop once, whatever else is wanted until they are gone', async () => {
    const actuation = actuating();
    await scale(actuation, PROD, 2);
    await serves(actuation, 2);
    actuation.changes();

    await actuation.apply({ kind: 'stop-runtime', environment: PROD, reason: 'a test' }, NEVER);
    await scale(actuation, PROD, 2);
    await scale(actuation, PROD, 1);
    await runs(actuation, 1);

    const told = actuation.changes().map(({ kind, reason }) => `${kind} ${reason.split(':')[0]}`);
    expect(told.filter(each => each.endsWith('prod.1'))).toEqual(['stopped prod.1']);
  });

  test('of which the first was started by an earlier version: it is kept, until it has to share its port', async () => {
    const legacy = await startLegacy();
    const actuation = actuating();
    await want(actuation, PROD, {});
    const [adopted] = await runs(actuation, 1);

    await scale(actuation, PROD, 2);
    const isShared = (state: ObservedState) =>
      running(state).length === 2 && running(state).every(({ pid }) => pid !== legacy.pid);
    const after = running(await until(actuation, isShared));

    expect(adopted).toMatchObject({ pid: legacy.pid, address: legacy.address });
    expect(after.map(({ address }) => address)).toEqual([legacy.address, legacy.address]);
  });

  test('end as wanted whatever is asked, killed and adopted before, and leave no process behind', async () => {
    const deed = fc.oneof(
      fc.record({ kind: fc.constant('scale' as const), runtimes: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ kind: fc.constant('kill' as const), which: fc.nat({ max: 2 }) }),
      fc.record({ kind: fc.constant('adopt' as const) }),
      fc.record({ kind: fc.constant('stop' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(deed, { minLength: 2, maxLength: 6 }),
        fc.integer({ min: 1, max: 3 }),
        async (deeds, runtimes) => {
          let actuation = actuating();
          for (const each of deeds) {
            if (each.kind === 'scale') await scale(actuation, PROD, each.runtimes);
            if (each.kind === 'kill') killOf(actuation, each.which);
            if (each.kind === 'stop')
              await actuation.apply({ kind: 'stop-runtime', environment: PROD, reason: 'a test' }, NEVER);
            if (each.kind === 'adopt') {
              await actuation[Symbol.asyncDispose]();
              actuation = actuating();
            }
          }
          await scale(actuation, PROD, runtimes);
          const there = await runs(actuation, runtimes);

          expect(processes()).toEqual(there.map(({ pid }) => pid).toSorted(byNumber));
          await actuation.stopAll(NEVER);
          expect(processes()).toEqual([]);
        },
      ),
      { numRuns: 5 },
    );
  }, 60_000);
});

test('elsewhere than on Linux one runtime is started, whatever is asked for', async () => {
  const actuation = actuating({ platform: 'darwin' });

  await scale(actuation, PROD, 3);
  const runtimes = await runs(actuation, 1);

  expect(runtimes).toHaveLength(1);
  expect(await argumentsOf(runtimes[0]!)).toMatchObject({ 'share-port': '' });
});

async function runs(actuation: Actuation, count: number): Promise<ObservedRuntime[]> {
  const isSo = (state: ObservedState) => state.runtimes.length === count && running(state).length === count;
  return running(await until(actuation, isSo));
}

/** Running, and known to answer requests. */
async function serves(actuation: Actuation, count: number): Promise<ObservedRuntime[]> {
  const there = await runs(actuation, count);
  for (const { ownAddress } of there) await knownReady(ownAddress!);
  return there;
}

/** Resolves once the stand-in was asked as only those are who are known to be ready. */
async function knownReady(address: string): Promise<void> {
  for (let turn = 0; (await (await fetch(`${address}/known-ready`)).text()) !== 'true'; turn++) {
    if (turn > 1000) throw new Error(`nobody learns that ${address} is ready`);
    await systemClock.sleep(10);
  }
}

/** Resolves once somebody has rested so often from now on. */
async function looked(times: number): Promise<void> {
  const until = looks + times;
  for (let turn = 0; looks < until; turn++) {
    if (turn > 2000) throw new Error('nobody looks after the runtimes');
    await systemClock.sleep(10);
  }
}

function killOf(actuation: Actuation, which: number): void {
  const { pid } = running(actuation.observe())[which] ?? {};
  try {
    if (pid) process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function argumentsOf({ ownAddress }: ObservedRuntime): Promise<Record<string, string>> {
  return (await fetch(`${ownAddress}/arguments`)).json() as Promise<Record<string, string>>;
}

/** Every living process that was started with our folder. */
function processes(): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(pid => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(join(place.folder, 'runtimes', PROD));
      } catch {
        return false;
      }
    })
    .map(Number)
    .toSorted(byNumber);
}

function byNumber(one: number | null, other: number | null): number {
  return (one ?? 0) - (other ?? 0);
}

/** As the version before this one started it and wrote it down. */
async function startLegacy(): Promise<{ pid: number; address: string }> {
  const port = await freePort();
  const state = join(place.folder, 'runtimes', PROD);
  mkdirSync(state, { recursive: true });
  const { controllerUrl, tokenFile } = options();
  const given = { environment: PROD, controller: controllerUrl, state, port, host: '127.0.0.1' };
  const args = Object.entries({ ...given, 'token-file': tokenFile }).flatMap(([name, value]) => [
    `--${name}`,
    String(value),
  ]);
  const child = spawn(process.execPath, [STAND_IN, ...args], { stdio: 'ignore' });
  children.push(child);
  const pid = child.pid!;
  const identity = { pid, startTime: (await startTimeOf(pid))! };
  const record = { port, process: { identity, instanceId: null, controllerUrl } };
  const file = processFile(join(place.folder, 'runtimes'), { environment: PROD, replica: 0 });
  writeFileSync(file, JSON.stringify(record));
  expect(existsSync(file) && ProcessRecord.parse(record).process?.startedWith).toBeNull();
  return { pid, address: `http://127.0.0.1:${port}` };
}

function freePort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const server = createServer().listen(0, '127.0.0.1', () => {
    const address = server.address();
    server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
  });
  return promise;
}
