import type { CommitSha } from '@switchback-ml/schemas';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { environmentFile, releaseFile, versionFiles } from './desired/manifest.fixture.ts';
import { Loop, until } from './loop.fixture.ts';

const prodWith = (fields: object) =>
  environmentFile('prod', {
    promotion: { by: 'person' },
    defaults: {
      objectives: { available: { target: '99%', breach: 'rollback' } },
      rollout: {
        canary: {
          steps: [{ weight: 10, for: '10s', requests: 100 }],
          undecided: { after: '1h', then: 'page' },
        },
        bake: { for: '10s', requests: 100 },
      },
    },
    ...fields,
  });
const PROD = prodWith({});
const RELEASE = 'environments/prod/fraud/release.yaml';
const HOLD = 'environments/prod/fraud/holds/1.1.0.yaml';

let loop: Loop;

beforeEach(async () => {
  loop = await Loop.open();
  await loop.commit(
    {
      ...PROD,
      ...versionFiles('fraud', '1.0.0'),
      ...versionFiles('fraud', '1.1.0'),
      ...releaseFile('prod', 'fraud', '1.0.0'),
    },
    'first',
  );
  await loop.pass();
  loop.serve('1.0.0', 1000);
  await loop.pass(11_000);
  await loop.pass();
});

afterEach(async () => {
  await loop[Symbol.asyncDispose]();
});

/** 1.1.0 in canary beside 1.0.0, both with some traffic. */
async function beginCanary(): Promise<CommitSha> {
  const commit = await loop.commit(releaseFile('prod', 'fraud', '1.1.0'), 'promote 1.1.0');
  await loop.pass();
  loop.serve('1.0.0', 900);
  loop.serve('1.1.0', 50);
  await loop.pass();
  return commit;
}

async function degrade(): Promise<void> {
  loop.serve('1.0.0', 450);
  loop.serve('1.1.0', 50, 40);
  await loop.pass();
}

const pushed = (subject: RegExp): Promise<void> =>
  until(async () => (await loop.log()).some(line => subject.test(line)));
/** Passes until the remote has said no to something. */
const refused = (): Promise<void> =>
  until(async () => {
    await loop.pass(10);
    return loop.state.open.list().some(({ state }) => state === 'refused');
  });
/** Lets poller, cycle and runner find out about each other's work until nothing is open. */
const settled = (): Promise<void> =>
  until(async () => {
    loop.watch.nudge();
    await loop.pass(10);
    return loop.state.open.list().length === 0;
  });

test('a first release serves at once and bakes into last good', () => {
  expect(loop.weights()).toEqual({ '1.0.0': 100 });
  expect(loop.state.rollouts.get('prod/fraud')).toMatchObject({
    candidate: null,
    stable: { version: '1.0.0' },
  });
});

test('a version that follows one that has not baked is tried beside it, and goes back to it', async () => {
  await using young = await Loop.open();
  const files = { ...PROD, ...versionFiles('fraud', '1.0.0'), ...versionFiles('fraud', '1.1.0') };
  await young.commit({ ...files, ...releaseFile('prod', 'fraud', '1.0.0') }, 'first');
  await young.pass();
  young.serve('1.0.0', 20);
  await young.pass();

  await young.commit(releaseFile('prod', 'fraud', '1.1.0'), 'promote 1.1.0');
  await young.pass();
  expect(young.weights()).toEqual({ '1.0.0': 90, '1.1.0': 10 });
  young.serve('1.0.0', 900);
  young.serve('1.1.0', 50, 40);
  await young.pass();
  await young.pass();

  expect(young.weights()).toEqual({ '1.0.0': 100 });
  expect(young.state.rollouts.get('prod/fraud')?.candidate).toMatchObject({
    phase: 'baking',
    revision: { version: '1.0.0' },
  });
  await until(async () => {
    await young.pass(10);
    return (await young.log()).some(line => line.startsWith('prod/fraud: back to 1.0.0'));
  });
});

test('a good version goes step by step to all the traffic', async () => {
  await beginCanary();
  expect(loop.weights()).toEqual({ '1.0.0': 90, '1.1.0': 10 });

  loop.serve('1.0.0', 900);
  loop.serve('1.1.0', 100);
  await loop.pass(11_000, 2);
  expect(loop.weights()).toEqual({ '1.0.0': 0, '1.1.0': 100 });

  loop.serve('1.1.0', 200);
  await loop.pass(11_000, 2);
  expect(loop.weights()).toEqual({ '1.1.0': 100 });
});

describe('a degraded candidate', () => {
  test('loses its traffic in the pass after the verdict, before git is told', async () => {
    await beginCanary();
    loop.remote.isReachable = false;

    await degrade();
    await loop.pass(1);

    expect(loop.weights()).toEqual({ '1.0.0': 100 });
    expect((await loop.log().catch(() => ['unreachable']))[0]).toBe('unreachable');
    expect(loop.state.open.rollbacks()).toHaveLength(1);
  });

  test('is reverted and held in one commit that touches nothing else', async () => {
    const promotion = await beginCanary();
    await degrade();
    await loop.pass();
    await settled();

    const [newest] = (
      await loop.repository.history(promotion, await head(), AbortSignal.timeout(5000))
    ).slice(-1);
    expect(newest?.changes.map(({ path }) => path).toSorted()).toEqual([HOLD, RELEASE]);
    expect(newest?.subject).toBe('prod/fraud: back to 1.0.0 (errors 40.0 % against 0.0 %), 1.1.0 on hold');
    expect(newest?.body).toContain(`This reverts commit ${promotion}.`);
    expect(loop.weights()).toEqual({ '1.0.0': 100 });
  });

  test('is not told of as recovered when another revision is judged in its place', async () => {
    await beginCanary();
    await degrade();
    await loop.pass();
    await settled();
    loop.serve('1.0.0', 500);
    await loop.pass(1000, 3);

    const told = (await loop.events()).filter(({ type }) => type.startsWith('verdict.'));
    expect(told.map(({ type, data }) => [type, data['version']])).toEqual([['verdict.degraded', '1.1.0']]);
  });

  test('has its revert pushed once the remote is back, and once only', async () => {
    await beginCanary();
    loop.remote.isReachable = false;
    await degrade();
    await loop.pass(1, 3);

    loop.remote.isReachable = true;
    await pushed(/back to 1\.0\.0/);
    await settled();

    expect((await loop.log()).filter(line => line.includes('back to'))).toHaveLength(1);
  });

  test('is planned again when the branch has moved on', async () => {
    await beginCanary();
    loop.remote.isReachable = false;
    await degrade();
    await loop.pass(1, 2);
    loop.remote.isReachable = true;
    await loop.commit({ 'README.md': 'a person was faster\n' }, 'docs');
    await loop.pass();
    await settled();

    expect((await loop.log()).slice(0, 2)).toEqual([expect.stringContaining('back to 1.0.0'), 'docs']);
  });

  test('gets only the hold when a person has reverted already', async () => {
    await beginCanary();
    loop.remote.isReachable = false;
    await degrade();
    await loop.pass(1, 2);
    loop.remote.isReachable = true;
    await loop.commit(releaseFile('prod', 'fraud', '1.0.0'), 'a person reverts');
    await loop.pass();
    await settled();

    expect((await loop.log()).slice(0, 2)).toEqual([
      expect.stringContaining('1.1.0 on hold'),
      'a person reverts',
    ]);
    expect(loop.weights()).toEqual({ '1.0.0': 100 });
  });

  test('counts its traffic as back when the runtime says so, and without its word after a second', async () => {
    await beginCanary();
    const bad = loop
      .snapshot()
      ?.routes['fraud' as never]?.backends.find(({ version }) => version === '1.1.0');
    if (!bad) throw new Error('no candidate');
    loop.lagging = bad;
    await degrade();
    await loop.pass(100, 3);
    const rollback = () => loop.state.open.list().find(({ kind }) => kind === 'rollback');
    expect(loop.weights()).toEqual({ '1.0.0': 100 });
    expect(rollback()?.state).toBe('intended');

    await until(async () => {
      await loop.pass(250);
      return rollback()?.state !== 'intended';
    });
    const [moved] = (await loop.events()).filter(({ type }) => type === 'operation.moved');
    const [intended] = (await loop.events()).filter(
      ({ type, data }) => type === 'operation.intended' && data['kind'] === 'rollback',
    );
    expect((moved?.at ?? 0) - (intended?.at ?? 0)).toBeGreaterThanOrEqual(1000);
  });

  test('waits for the word of the runtime also when the intent is of an earlier life', async () => {
    const commit = await beginCanary();
    const bad = loop
      .snapshot()
      ?.routes['fraud' as never]?.backends.find(({ version }) => version === '1.1.0');
    if (!bad) throw new Error('no candidate');
    loop.lagging = bad;
    await degrade();
    loop.life.isOver = true;
    await loop.life[Symbol.asyncDispose]();
    loop.now += 10_000;
    await loop.live(loop.holder);
    await loop.seen(commit);
    const rollback = () => loop.state.open.list().find(({ kind }) => kind === 'rollback');

    for (let look = 0; look < 20; look++) {
      await loop.pass(20);
      await new Promise(resolve => setImmediate(resolve));
    }
    expect(loop.weights()).toEqual({ '1.0.0': 100 });
    expect(rollback()?.state).toBe('intended');

    loop.lagging = null;
    await until(async () => {
      await loop.pass(20);
      return rollback()?.state !== 'intended';
    });
  });

  test('is a divergence where a runtime still answers from it, and is not brought back by healing', async () => {
    await beginCanary();
    const bad = loop
      .snapshot()
      ?.routes['fraud' as never]?.backends.find(({ version }) => version === '1.1.0');
    loop.lagging = bad ?? null;
    loop.remote.isReachable = false;
    await degrade();
    await loop.pass(1000, 40);

    const found = (await loop.events()).filter(({ type }) => type === 'divergence.found');
    expect(found.map(({ data }) => data['message'])).toEqual([
      expect.stringMatching(/answers from 1\.1\.0 .*, the target is 1\.0\.0 .* 100 %/),
    ]);
    expect(loop.weights()).toEqual({ '1.0.0': 100 });

    loop.lagging = null;
    await loop.pass(1000, 2);
    expect((await loop.events()).filter(({ type }) => type === 'divergence.healed')).toHaveLength(1);
  });

  test('waits on a branch for a person where the push is refused', async () => {
    await beginCanary();
    loop.remote.refusal = 'protected branch';
    await degrade();
    await loop.pass();
    await refused();

    await loop.pass(60_000, 3);

    expect(loop.weights()).toEqual({ '1.0.0': 100 });
    expect(loop.state.open.list().find(({ kind }) => kind === 'rollback')?.result.reason).toContain(
      'protected branch',
    );
  });

  test('does not come back when the same release is committed again while it is on hold', async () => {
    await beginCanary();
    await degrade();
    await loop.pass();
    await settled();

    await loop.commit(releaseFile('prod', 'fraud', '1.1.0'), 'somebody tries again');
    await loop.pass(1000, 3);
    expect(loop.weights()).toEqual({ '1.0.0': 100 });

    await loop.commit({ [HOLD]: null }, 'a person lifts the hold');
    await loop.pass();
    expect(loop.weights()).toEqual({ '1.0.0': 90, '1.1.0': 10 });
  });
});

describe('what automation may do by itself', () => {
  test('in mode observe it says what it would have done, once, and moves nothing', async () => {
    await loop.commit(prodWith({ mode: 'observe' }), 'observe');
    await beginCanary();
    await degrade();
    await loop.pass(100, 5);

    expect(loop.weights()).toEqual({ '1.0.0': 90, '1.1.0': 10 });
    const withheld = (await loop.events()).filter(({ type }) => type === 'operation.withheld');
    expect(withheld.map(({ data }) => data['withheld'])).toEqual([
      expect.stringContaining('what would have been done'),
    ]);
    expect((await loop.log())[0]).toBe('promote 1.1.0');
  });

  test('in mode propose traffic is back at once and the revert waits on a branch', async () => {
    await loop.commit(prodWith({ mode: 'propose' }), 'propose');
    await beginCanary();
    await degrade();
    await loop.pass();
    await refused();

    expect(loop.weights()).toEqual({ '1.0.0': 100 });
    expect((await loop.log())[0]).toBe('promote 1.1.0');
    const [branch] = [...loop.remote.refs.keys()].filter(ref =>
      ref.startsWith('refs/heads/switchback/rollback/prod/fraud/'),
    );
    expect(branch).toBeDefined();

    await loop.commit({ ...releaseFile('prod', 'fraud', '1.0.0') }, 'a person merges what it says');
    await settled();
    expect(loop.weights()).toEqual({ '1.0.0': 100 });
  });

  test('beyond its rate it rolls nothing back and calls for a person', async () => {
    await loop.commit(prodWith({ rollback: { write: 'push', atMost: '1 per 1h' } }), 'once an hour');
    await beginCanary();
    await degrade();
    await loop.pass();
    await settled();
    await loop.commit(
      { ...versionFiles('fraud', '1.2.0'), ...releaseFile('prod', 'fraud', '1.2.0') },
      'promote 1.2.0',
    );
    await loop.pass();
    loop.serve('1.0.0', 900);
    loop.serve('1.2.0', 100, 80);
    await loop.pass(100, 3);

    expect(loop.weights()).toEqual({ '1.0.0': 90, '1.2.0': 10 });
    const [withheld] = (await loop.events()).filter(({ type }) => type === 'operation.withheld');
    expect(withheld?.data['withheld']).toContain('a person should look');
  });
});

test('a rewritten history stops what would change git, until a person says that it is meant', async () => {
  const before = await head();
  const after = await loop.rewrite(
    { ...releaseFile('prod', 'fraud', '1.1.0') },
    'made to look as if it had always been so',
  );
  await until(async () => {
    loop.watch.nudge();
    await loop.pass(10);
    return loop.watch.contact().failure?.rewritten !== undefined;
  });
  await loop.pass(10);
  expect(loop.weights()).toEqual({ '1.0.0': 100 });
  expect(loop.watch.contact().failure?.rewritten).toEqual({ ref: 'refs/heads/main', before, after });

  const rewrite = { ref: 'refs/heads/main', before, after };
  const answered = loop.requests.ask({
    kind: 'accept-rewrite',
    rewrite,
    by: 'mei',
    reason: 'a secret was in it',
  });
  await until(async () => {
    await loop.pass(10);
    return loop.watch.latest()?.head === after;
  });
  await answered;
  await loop.pass(10, 2);

  expect(loop.watch.contact().failure).toBeNull();
  const told = (await loop.events()).filter(({ type }) => type.startsWith('history.'));
  expect(told.map(({ type, actor }) => [type, actor])).toEqual([
    ['history.rewritten', 'controller'],
    ['history.accepted', 'mei'],
  ]);
});

test("a person's revert in the middle of a canary gives stable all the traffic at once", async () => {
  await beginCanary();

  await loop.commit(releaseFile('prod', 'fraud', '1.0.0'), 'revert');
  await loop.pass();

  expect(loop.weights()).toEqual({ '1.0.0': 100 });
});

test('a manifest that can not be read changes nothing that is served', async () => {
  await beginCanary();

  await loop.commit(
    { [RELEASE]: 'apiVersion: switchback/v1alpha1\nkind: Release\nversion: 1.10\n' },
    'a slip',
  );
  await loop.pass(1000, 3);

  expect(loop.weights()).toEqual({ '1.0.0': 90, '1.1.0': 10 });
  expect(loop.state.desired?.problems).toMatchObject([
    { code: 'E_MANIFEST_FIELD', path: RELEASE, line: 3, field: 'version' },
  ]);
});

test('a bad setting is canaried like a version and reverted like one', async () => {
  const serving = 'environments/prod/fraud/serving.yaml';
  const edit = await loop.commit(
    { [serving]: 'apiVersion: switchback/v1alpha1\nkind: Serving\nlimits: { timeout: 1ms }\n' },
    'faster',
  );
  await loop.pass();
  expect(loop.weights()).toEqual({ '1.0.0': 10 });
  const candidate = loop.state.rollouts.get('prod/fraud')?.candidate?.revision;
  expect(loop.snapshot()?.routes['fraud' as never]?.backends.map(({ weight }) => weight)).toEqual([90, 10]);

  loop.serveRevision(candidate?.id, 50, 40);
  loop.serve('1.0.0', 450);
  await loop.pass();
  await loop.pass();
  await settled();

  const entries = await loop.repository.history(edit, await head(), AbortSignal.timeout(5000));
  expect(entries.at(-1)?.body).toContain(`This reverts commit ${edit}.`);
  expect(entries.at(-1)?.changes.map(({ path }) => path.replace(/-settings-.*/, ''))).toEqual([
    'environments/prod/fraud/holds/1.0.0',
    serving,
  ]);
  expect(loop.weights()).toEqual({ '1.0.0': 100 });
});

test('a model repository in a folder of a larger one is reverted there, and nothing beside it', async () => {
  await loop[Symbol.asyncDispose]();
  loop = await Loop.open('ml/models');
  const inFolder = (files: Record<string, string>): Record<string, string> =>
    Object.fromEntries(Object.entries(files).map(([path, text]) => [`ml/models/${path}`, text]));
  const versions = { ...versionFiles('fraud', '1.0.0'), ...versionFiles('fraud', '1.1.0') };
  await loop.commit(inFolder({ ...PROD, ...versions, ...releaseFile('prod', 'fraud', '1.0.0') }));
  await loop.pass();
  loop.serve('1.0.0', 1000);
  await loop.pass(11_000, 2);
  const promotion = await loop.commit(inFolder(releaseFile('prod', 'fraud', '1.1.0')));
  await loop.pass();
  loop.serve('1.0.0', 900);
  loop.serve('1.1.0', 50);
  await degrade();
  await loop.pass();
  await settled();

  const entries = await loop.repository.history(promotion, await head(), AbortSignal.timeout(5000));
  expect(
    entries
      .at(-1)
      ?.changes.map(({ path }) => path)
      .toSorted(),
  ).toEqual([`ml/models/${HOLD}`, `ml/models/${RELEASE}`]);
});

test('every transition that settles is a commit on the history ref, newest last', async () => {
  await beginCanary();
  await degrade();
  await loop.pass();
  await settled();
  await until(() => (loop.watch.latest()?.records.length ?? 0) >= 2);

  expect(loop.watch.latest()?.records.map(({ subject }) => subject)).toEqual([
    'prod/fraud: 1.0.0 baked',
    'prod/fraud: 1.1.0 rolled back',
  ]);
});

async function head(): Promise<CommitSha> {
  const at = await loop.repository.fetch('refs/heads/main', AbortSignal.timeout(5000));
  if (at.kind !== 'commit') throw new Error('no head');
  return at.commit;
}
