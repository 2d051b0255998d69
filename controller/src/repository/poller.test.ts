import { createHash } from 'node:crypto';
import type { CommitSha } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type MemoryRemote, memoryRemote, memoryRepository } from './memory/index.ts';
import { heldClock, silentLog } from './poller.fixture.ts';
import { type PollerSettings, RepositoryPoller } from './poller.ts';
import type { Repository } from './repository.ts';

const MAIN = 'refs/heads/main';
const HISTORY = 'refs/switchback/history';
const RELEASE = 'environments/prod/fraud/release.yaml';
const VERSION = 'models/fraud/versions/1.0.0';
const signal = AbortSignal.timeout(50_000);
const author = { name: 'Ada', email: 'ada@example.org' };
type Files = Record<string, string | null>;

describe('RepositoryPoller', () => {
  let remote: MemoryRemote;
  let repository: Repository;
  let time: ReturnType<typeof heldClock>;
  let started: RepositoryPoller[];

  beforeEach(() => {
    remote = memoryRemote();
    repository = memoryRepository({ remote });
    time = heldClock();
    started = [];
  });
  afterEach(async () => {
    for (const poller of started) await poller[Symbol.asyncDispose]();
  });

  function start(part: Partial<PollerSettings> = {}): RepositoryPoller {
    const poller = new RepositoryPoller({
      ...{
        repository,
        branch: 'main',
        historyRef: HISTORY,
        root: '',
        intervalMs: 1_000,
        hintDirectory: null,
      },
      ...{ clock: time.clock, log: silentLog().log },
      ...part,
    });
    started.push(poller);
    return poller;
  }
  async function push(files: Files, ref = MAIN, message = 'change'): Promise<CommitSha> {
    const parent = remote.refs.get(ref) ?? null;
    const commit = await repository.commit(
      { parent, edits: new Map(Object.entries(files)), message, author, at: 5_000 },
      signal,
    );
    expect(await repository.push(ref, parent, commit, signal)).toEqual({ kind: 'pushed' });
    return commit;
  }
  async function look(): Promise<number> {
    time.advance(1_000);
    return time.rest();
  }

  it('has no view before its first look, and an empty one of an empty repository', async () => {
    const poller = start();
    expect(poller.latest()).toBeNull();

    await time.rest();
    expect(poller.latest()).toMatchObject({ head: null, records: [] });
    expect(poller.contact()).toEqual({ reachedAt: 1_000, failure: null });
  });

  it('publishes every file of ours as what it is', async () => {
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 9\n`;
    const head = await push({
      [RELEASE]: '\ufeffkind: Release\n',
      [`${VERSION}/version.yaml`]: 'kind: ModelVersion\n',
      [`${VERSION}/model.onnx`]: pointer,
      [`${VERSION}/golden.json`]: '{}',
      'README.md': 'not ours',
    });
    const poller = start();
    await time.rest();

    const view = poller.latest()!;
    expect(view).toMatchObject({ head, subject: 'change', at: 1_000 });
    expect([...view.files.keys()].sort()).toEqual([
      RELEASE,
      `${VERSION}/golden.json`,
      `${VERSION}/model.onnx`,
      `${VERSION}/version.yaml`,
    ]);
    expect(view.files.get(RELEASE)).toMatchObject({ kind: 'manifest', text: 'kind: Release\n' });
    expect(view.files.get(`${VERSION}/model.onnx`)).toMatchObject({
      kind: 'pointer',
      digest: 'a'.repeat(64),
      sizeBytes: 9,
    });
    const digest = createHash('sha256').update('{}').digest('hex');
    expect(view.files.get(`${VERSION}/golden.json`)).toMatchObject({ kind: 'raw', sizeBytes: 2, digest });
  });

  it('tells what .lfsconfig asks for and does not get, as long as it stands there', async () => {
    await push({ [RELEASE]: 'kind: Release\n' });
    const poller = start();
    await time.rest();
    const before = poller.latest()?.problems;
    await push({ '.lfsconfig': '[lfs]\n\tfetchexclude = *\n\turl = https://elsewhere.example/lfs\n' });
    await look();
    const told = poller.latest()?.problems;
    await push({ [RELEASE]: 'kind: Release\nversion: "1"\n' });
    await look();
    const still = poller.latest()?.problems;
    await push({ '.lfsconfig': null });
    await look();

    expect(before).toEqual([]);
    expect(told).toMatchObject([{ code: 'W_LFS_CONFIG', path: '.lfsconfig', line: 3, field: 'lfs.url' }]);
    expect(still).toEqual(told);
    expect(poller.latest()?.problems).toEqual([]);
  });

  it('reads again only what changed, and tells its listeners only then', async () => {
    const read: string[] = [];
    const counting: Repository = {
      ...memoryRepository({ remote }),
      fetch: repository.fetch.bind(repository),
      diff: repository.diff.bind(repository),
      history: repository.history.bind(repository),
      isAncestor: repository.isAncestor.bind(repository),
      readBlob: (blob, ...rest) => {
        read.push(blob);
        return repository.readBlob(blob, ...rest);
      },
    };
    await push(Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`models/m${i}/model.yaml`, `${i}`])));
    const poller = start({ repository: counting });
    let told = 0;
    poller.onChange(() => told++);
    await time.rest();
    expect(new Set(read).size).toBe(50);

    read.length = 0;
    await look();
    expect([read.length, told]).toEqual([0, 1]);
    const before = poller.latest();
    await push({ 'models/m7/model.yaml': 'seven', 'models/m8/model.yaml': null });
    await look();
    expect([read.length, told]).toEqual([1, 2]);
    expect(poller.latest()!.files.get('models/m7/model.yaml')).toMatchObject({ text: 'seven' });
    expect(poller.latest()!.files.size).toBe(49);
    expect(before!.files.size).toBe(50);
  });

  it('keeps the texts of former releases, and in which order versions came', async () => {
    const first = await push({ [RELEASE]: 'one', [`${VERSION}/version.yaml`]: 'v1' });
    const second = await push({ [RELEASE]: 'two', 'models/fraud/versions/0.9.0/version.yaml': 'v0' });
    const poller = start();
    await time.rest();
    const third = await push({ [RELEASE]: null });
    await look();

    const { history } = poller.latest()!;
    expect(
      history.paths.get(RELEASE)!.map(({ commit, blob }) => [commit, blob && history.texts.get(blob)]),
    ).toEqual([
      [first, 'one'],
      [second, 'two'],
      [third, null],
    ]);
    expect(history.order.get(`${VERSION}/version.yaml`)).toBeLessThan(
      history.order.get('models/fraud/versions/0.9.0/version.yaml')!,
    );
  });

  it('sees the same, looking after every push or only at the end', async () => {
    const files = fc.dictionary(
      fc.constantFrom(RELEASE, `${VERSION}/version.yaml`, 'models/fraud/serving.yaml', 'x.md'),
      fc.option(fc.constantFrom('a', 'b', 'c')),
      { minKeys: 1 },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(files, { minLength: 1, maxLength: 6 }), async pushes => {
        remote = memoryRemote();
        repository = memoryRepository({ remote });
        time = heldClock();
        const often = start();
        await time.rest();
        for (const part of pushes) {
          await push(part);
          await look();
        }
        time = heldClock();
        const once = start();
        await time.rest();

        const { files: oftenFiles, history: oftenHistory, head } = often.latest()!;
        expect({ oftenFiles: new Map([...oftenFiles].sort()), oftenHistory, head }).toEqual({
          oftenFiles: new Map([...once.latest()!.files].sort()),
          oftenHistory: once.latest()!.history,
          head: once.latest()!.head,
        });
      }),
      { numRuns: 12 },
    );
  });

  it('keeps the last view and says why when history was rewritten', async () => {
    const good = await push({ [RELEASE]: 'good' });
    const poller = start();
    await time.rest();
    remote.refs.delete(MAIN);
    await push({ [RELEASE]: 'rewritten' });
    await look();

    expect(poller.latest()!.head).toBe(good);
    expect(poller.contact()).toMatchObject({ reachedAt: 2_000, failure: { code: 'E_HISTORY_REWRITTEN' } });
    remote.refs.set(MAIN, good);
    const next = await push({ [RELEASE]: 'better' });
    await look();
    expect(poller.latest()!.head).toBe(next);
    expect(poller.contact().failure).toBeNull();
  });

  it('keeps the last view when the branch is gone', async () => {
    const good = await push({ [RELEASE]: 'good' });
    const poller = start();
    await time.rest();
    remote.refs.delete(MAIN);
    await look();

    expect(poller.latest()!.head).toBe(good);
    expect(poller.contact().failure).toMatchObject({ code: 'E_GIT_EMPTY' });
  });

  it('waits longer while the remote is away, never above half a minute, and takes up its pace again', async () => {
    const { log, lines } = silentLog();
    await push({ [RELEASE]: 'good' });
    const poller = start({ log });
    expect(await time.rest()).toBeLessThanOrEqual(1_100);
    remote.isReachable = false;
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) waits.push(await look());

    expect(waits[0]).toBeGreaterThanOrEqual(1_800);
    expect(waits[3]).toBeGreaterThan(waits[0]!);
    expect(Math.max(...waits)).toBeLessThanOrEqual(33_000);
    expect(poller.contact()).toMatchObject({ reachedAt: 1_000, failure: { code: 'E_GIT_UNREACHABLE' } });
    expect(poller.latest()!.files.size).toBe(1);
    remote.isReachable = true;
    expect(await look()).toBeLessThanOrEqual(1_100);
    expect(poller.contact()).toEqual({ reachedAt: 10_000, failure: null });
    expect(lines.map(({ level }) => level)).toEqual(['warn', 'info']);
  });

  it('looks once more, not ten times, when it is nudged ten times during a look', async () => {
    let looks = 0;
    const gate = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    const slow = {
      ...memoryRepository({ remote }),
      fetch: async (ref: string, stop: AbortSignal) => {
        if (ref === MAIN && ++looks === 1) {
          entered.resolve();
          await gate.promise;
        }
        return repository.fetch(ref, stop);
      },
    } as Repository;
    const poller = start({ repository: slow });
    await entered.promise;
    for (let i = 0; i < 10; i++) poller.nudge();
    gate.resolve();
    await time.rest();

    expect(looks).toBe(2);
    poller.nudge();
    await time.rest();
    expect(looks).toBe(3);
  });

  it('publishes the chain of records as it grows, and refuses another chain', async () => {
    const poller = start();
    await time.rest();
    const first = await push({ 'record.json': '1' }, HISTORY, 'prod/fraud baked\n\nOutcome: baked');
    await look();
    const second = await push({ 'record.json': '2' }, HISTORY);
    await look();
    expect(poller.latest()!.records.map(({ commit, body }) => [commit, body])).toEqual([
      [first, 'Outcome: baked'],
      [second, ''],
    ]);

    remote.refs.delete(HISTORY);
    await push({ 'record.json': 'forged' }, HISTORY);
    await look();
    expect(poller.latest()!.records).toHaveLength(2);
    expect(poller.contact().failure).toMatchObject({ code: 'E_HISTORY_REWRITTEN' });
  });

  it('sees a model repository in a folder of the git repository', async () => {
    await push({ [`ml/${RELEASE}`]: 'one', [RELEASE]: 'elsewhere', 'mlx/models/a/model.yaml': 'no' });
    await push({ [`ml/${RELEASE}`]: 'two' });
    const poller = start({ root: 'ml' });
    await time.rest();

    const view = poller.latest()!;
    expect([...view.files]).toMatchObject([[RELEASE, { text: 'two' }]]);
    expect([...view.history.paths.keys()]).toEqual([RELEASE]);
    expect(view.history.paths.get(RELEASE)!.map(({ alone }) => alone)).toEqual([false, true]);
  });

  it('goes on when a listener fails', async () => {
    const { log, lines } = silentLog();
    const poller = start({ log });
    poller.onChange(() => {
      throw new Error('broken listener');
    });
    await time.rest();
    const head = await push({ [RELEASE]: 'one' });
    await look();

    expect(poller.latest()!.head).toBe(head);
    expect(lines).toContainEqual({ level: 'error', message: 'a listener of the repository failed' });
  });

  it('ends at once when it is closed, asleep or in the middle of a look', async () => {
    const asleep = start();
    await time.rest();
    await asleep[Symbol.asyncDispose]();

    const entered = Promise.withResolvers<void>();
    const hanging = {
      ...memoryRepository({ remote }),
      fetch: (_: string, stop: AbortSignal) =>
        new Promise<never>((_resolve, reject) => {
          entered.resolve();
          stop.addEventListener('abort', () => reject(stop.reason), { once: true });
        }),
    } as Repository;
    const looking = start({ repository: hanging });
    await entered.promise;
    await looking[Symbol.asyncDispose]();
    expect(looking.contact()).toEqual({ reachedAt: null, failure: null });
  });
});
