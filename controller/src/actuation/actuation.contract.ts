import { EnvironmentName, LocalTarget, ServingSnapshot } from '@switchback-ml/schemas';
import { describe, expect, test } from 'vitest';
import type { Actuation, ObservedRuntime, ObservedState, RuntimeChange } from './actuation.ts';

export const DEV = EnvironmentName.parse('dev');
export const PROD = EnvironmentName.parse('prod');
export const NEVER = new AbortController().signal;

/** What every actuation keeps to. `open` gives a new one, in which nothing runs. */
export function actuationContract(name: string, open: () => Promise<Actuation>): void {
  describe(`${name} actuation`, () => {
    publishContract(open);
    runContract(open);
    replicaContract(open);
  });
}

function publishContract(open: () => Promise<Actuation>): void {
  test('answers at once whoever has another generation, or none', async () => {
    await using actuation = await open();
    await publish(actuation, snapshot(PROD, 'a'));

    expect(await actuation.snapshot(PROD, null, NEVER)).toEqual(snapshot(PROD, 'a'));
    expect(await actuation.snapshot(PROD, 'b'.repeat(16), NEVER)).toEqual(snapshot(PROD, 'a'));
    expect(actuation.observe().published).toEqual(new Map([[PROD, snapshot(PROD, 'a')]]));
  });

  test('lets everybody who has the newest generation wait, and answers all of them with the next', async () => {
    await using actuation = await open();
    await publish(actuation, snapshot(PROD, 'a'));
    const first = actuation.snapshot(PROD, 'a'.repeat(16), NEVER);
    const second = actuation.snapshot(PROD, 'a'.repeat(16), NEVER);

    await publish(actuation, snapshot(PROD, 'b'));

    expect(await Promise.all([first, second])).toEqual([snapshot(PROD, 'b'), snapshot(PROD, 'b')]);
  });

  test('lets whoever comes before the first snapshot wait for it', async () => {
    await using actuation = await open();
    const waiting = actuation.snapshot(PROD, null, NEVER);

    await publish(actuation, snapshot(PROD, 'a'));

    expect(await waiting).toEqual(snapshot(PROD, 'a'));
  });

  test('wakes nobody for the same generation or for another environment', async () => {
    await using actuation = await open();
    await publish(actuation, snapshot(PROD, 'a'));
    const enough = new AbortController();
    const waiting = actuation.snapshot(PROD, 'a'.repeat(16), enough.signal);

    await publish(actuation, snapshot(PROD, 'a'));
    await publish(actuation, snapshot(DEV, 'd'));
    enough.abort();

    expect(await waiting).toBeNull();
  });

  test('answers with the newest when several were published in a row', async () => {
    await using actuation = await open();
    await publish(actuation, snapshot(PROD, 'a'));
    const waiting = actuation.snapshot(PROD, 'a'.repeat(16), NEVER);

    await Promise.all([publish(actuation, snapshot(PROD, 'b')), publish(actuation, snapshot(PROD, 'c'))]);

    expect(await waiting).toEqual(snapshot(PROD, 'c'));
    expect(actuation.observe().published.get(PROD)?.generation).toBe('c'.repeat(16));
  });

  test('goes back to an earlier generation as to any other: the newest published wins', async () => {
    await using actuation = await open();
    await publish(actuation, snapshot(PROD, 'a'));
    await publish(actuation, snapshot(PROD, 'b'));
    const waiting = actuation.snapshot(PROD, 'b'.repeat(16), NEVER);

    await publish(actuation, snapshot(PROD, 'a'));

    expect(await waiting).toEqual(snapshot(PROD, 'a'));
  });

  test('ends one wait when its own signal aborts, and all when it is closed', async () => {
    const actuation = await open();
    const own = new AbortController();
    const aborted = actuation.snapshot(PROD, null, own.signal);
    const left = actuation.snapshot(PROD, null, NEVER);

    own.abort();
    expect(await aborted).toBeNull();
    expect(await actuation.snapshot(PROD, null, own.signal)).toBeNull();
    await actuation[Symbol.asyncDispose]();

    expect(await left).toBeNull();
  });
}

function runContract(open: () => Promise<Actuation>): void {
  test('replaces a runtime by a new instance at the same address, and tells why', async () => {
    await using actuation = await open();
    await start(actuation, PROD);
    const [before] = running(await until(actuation, state => running(state).length === 1));
    actuation.changes();

    await actuation.apply({ kind: 'replace-runtime', environment: PROD, reason: 'it is deaf' }, NEVER);
    const isAnother = (state: ObservedState) =>
      running(state).some(({ instanceId }) => instanceId !== before?.instanceId);
    const [after] = running(await until(actuation, isAnother));

    expect(after?.address).toBe(before?.address);
    expect(actuation.changes().map(({ kind, reason }) => [kind, reason])).toEqual([
      ['lost', expect.stringContaining('it is deaf')],
      ['started', expect.any(String)],
    ]);
    await actuation.stopAll(NEVER);
  });

  test('starts one runtime an environment, however often it is asked', async () => {
    await using actuation = await open();

    await Promise.all([start(actuation, PROD), start(actuation, PROD), start(actuation, DEV)]);
    const { runtimes } = await until(actuation, state => running(state).length === 2);
    await start(actuation, PROD);

    expect(runtimes.map(({ environment }) => environment).toSorted()).toEqual([DEV, PROD]);
    expect(new Set(runtimes.map(({ address }) => address)).size).toBe(2);
    expect(runtimes.every(({ instanceId, pid }) => instanceId !== null && pid !== null)).toBe(true);
    expect(kinds(actuation.changes())).toEqual(['dev started', 'prod started']);
    await actuation.stopAll(NEVER);
  });

  test('stops a runtime together with what was published for it', async () => {
    await using actuation = await open();
    await start(actuation, PROD);
    await publish(actuation, snapshot(PROD, 'a'));
    await until(actuation, state => running(state).length === 1);
    actuation.changes();

    await actuation.apply({ kind: 'stop-runtime', environment: PROD, reason: 'is gone from git' }, NEVER);
    const state = await until(actuation, ({ runtimes }) => runtimes.length === 0);

    expect(state.published.size).toBe(0);
    expect(actuation.changes()).toEqual([
      { kind: 'stopped', environment: PROD, reason: 'is gone from git', pid: expect.any(Number) },
    ]);
    expect(actuation.changes()).toEqual([]);
  });

  test('starts again what is wanted again while it stops', async () => {
    await using actuation = await open();
    await start(actuation, PROD);
    const [first] = running(await until(actuation, state => running(state).length === 1));

    await actuation.apply({ kind: 'stop-runtime', environment: PROD, reason: 'a test' }, NEVER);
    await start(actuation, PROD);
    await until(actuation, state => running(state).some(({ pid }) => pid !== first?.pid));

    expect(kinds(actuation.changes())).toEqual(['prod started', 'prod stopped', 'prod started']);
    await actuation.stopAll(NEVER);
  });

  test('stops all, keeps what was published, and can start again', async () => {
    await using actuation = await open();
    await Promise.all([
      start(actuation, PROD),
      start(actuation, DEV),
      publish(actuation, snapshot(PROD, 'a')),
    ]);
    await until(actuation, state => running(state).length === 2);

    await actuation.stopAll(NEVER);

    expect(actuation.observe().runtimes).toEqual([]);
    expect(actuation.observe().published.size).toBe(1);
    await start(actuation, PROD);
    await until(actuation, state => running(state).length === 1);
    await actuation.stopAll(NEVER);
  });

  test('stops nothing, and is no less content, when nothing runs', async () => {
    await using actuation = await open();

    await actuation.stopAll(NEVER);
    await actuation.apply({ kind: 'stop-runtime', environment: PROD, reason: 'a test' }, NEVER);

    expect(actuation.observe().runtimes).toEqual([]);
  });
}

function replicaContract(open: () => Promise<Actuation>): void {
  test('starts as many runtimes as asked at one address, each with another where it alone answers', async () => {
    await using actuation = await open();

    await Promise.all([scale(actuation, PROD, 3), scale(actuation, PROD, 3)]);
    const runtimes = running(await until(actuation, state => running(state).length === 3));

    expect(runtimes.map(({ replica }) => replica)).toEqual([0, 1, 2]);
    expect(new Set(runtimes.map(({ address }) => address)).size).toBe(1);
    expect(new Set(runtimes.flatMap(({ address, ownAddress }) => [address, ownAddress])).size).toBe(4);
    expect(new Set(runtimes.map(({ instanceId }) => instanceId)).size).toBe(3);
    expect(actuation.observe().targets?.get(PROD)?.runtimes).toBe(3);
    await actuation.stopAll(NEVER);
    expect(actuation.observe().runtimes).toEqual([]);
  });

  test('keeps the first ones when fewer are wanted, and all of them when more are', async () => {
    await using actuation = await open();
    await scale(actuation, PROD, 2);
    const [first, second] = running(await until(actuation, state => running(state).length === 2));

    await scale(actuation, PROD, 1);
    const fewer = await until(actuation, ({ runtimes }) => runtimes.length === 1);
    await scale(actuation, PROD, 3);
    const more = running(await until(actuation, state => running(state).length === 3));

    expect(fewer.runtimes).toEqual([first]);
    expect(more[0]).toEqual(first);
    expect(more[1]?.instanceId).not.toBe(second?.instanceId);
    expect(kinds(actuation.changes())).toEqual([
      ...['prod started', 'prod started', 'prod stopped'],
      ...['prod started', 'prod started'],
    ]);
    await actuation.stopAll(NEVER);
  });

  test('replaces of several runtimes the one that is named, and no other', async () => {
    await using actuation = await open();
    await scale(actuation, PROD, 2);
    const [first, second] = running(await until(actuation, state => running(state).length === 2));

    const named = { environment: PROD, instanceId: second!.instanceId!, reason: 'it is deaf' };
    await actuation.apply({ kind: 'replace-runtime', ...named }, NEVER);
    const isAnother = (state: ObservedState) =>
      running(state).length === 2 && running(state)[1]?.instanceId !== second?.instanceId;
    const after = running(await until(actuation, isAnother));

    expect(after[0]).toEqual(first);
    expect(after[1]?.address).toBe(second?.address);
    await actuation.stopAll(NEVER);
  });
}

export function start(actuation: Actuation, environment: EnvironmentName): Promise<void> {
  return actuation.apply({ kind: 'start-runtime', environment }, NEVER);
}

export function scale(actuation: Actuation, environment: EnvironmentName, runtimes: number): Promise<void> {
  return want(actuation, environment, { runtimes });
}

export function want(
  actuation: Actuation,
  environment: EnvironmentName,
  target: Partial<LocalTarget>,
): Promise<void> {
  const whole = { ...LocalTarget.parse({}), ...target };
  return actuation.apply({ kind: 'start-runtime', environment, target: whole }, NEVER);
}

export function publish(actuation: Actuation, published: ServingSnapshot): Promise<void> {
  const { environment } = published;
  return actuation.apply({ kind: 'publish-snapshot', environment, snapshot: published }, NEVER);
}

/** `digit` makes the generation: one hexadecimal digit. */
export function snapshot(environment: EnvironmentName, digit: string): ServingSnapshot {
  return ServingSnapshot.parse({
    ...{ apiVersion: 'switchback/v1alpha1', kind: 'ServingSnapshot', environment },
    ...{ generation: digit.repeat(16), commit: 'c'.repeat(40), routes: {}, keys: [] },
  });
}

export function running({ runtimes }: ObservedState): ObservedRuntime[] {
  return runtimes.filter(({ state }) => state === 'running');
}

export function kinds(changes: readonly RuntimeChange[]): string[] {
  return changes.map(({ environment, kind }) => `${environment} ${kind}`).toSorted(byEnvironment);
}

/** Resolves with the first state of which the claim holds; looks again whenever something changed. */
export async function until(
  actuation: Actuation,
  claim: (state: ObservedState) => boolean,
  boundMs = 20_000,
): Promise<ObservedState> {
  const { promise, resolve, reject } = Promise.withResolvers<ObservedState>();
  const timer = setTimeout(() => {
    const { runtimes } = actuation.observe();
    reject(new Error(`what was waited for never came; at last: ${JSON.stringify(runtimes)}`));
  }, boundMs);
  const look = (): void => {
    const state = actuation.observe();
    if (claim(state)) resolve(state);
  };
  actuation.onChange(look);
  look();
  return promise.finally(() => clearTimeout(timer));
}

/** Within one environment the order in which things happened stays. */
function byEnvironment(a: string, b: string): number {
  const [first = '', second = ''] = [a.split(' ')[0], b.split(' ')[0]];
  return first < second ? -1 : Number(first > second);
}
