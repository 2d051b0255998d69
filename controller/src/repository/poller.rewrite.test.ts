import type { CommitSha } from '@switchback-ml/schemas';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type MemoryRemote, memoryRemote, memoryRepository } from './memory/index.ts';
import { heldClock, silentLog } from './poller.fixture.ts';
import { type PollerSettings, RepositoryPoller } from './poller.ts';
import type { Repository } from './repository.ts';

const MAIN = 'refs/heads/main';
const HISTORY = 'refs/switchback/history';
const RELEASE = 'environments/prod/fraud/release.yaml';
const signal = AbortSignal.timeout(240_000);
const author = { name: 'Ada', email: 'ada@example.org' };

describe('RepositoryPoller and a history that is rewritten', () => {
  let remote: MemoryRemote;
  let repository: Repository;
  let time: ReturnType<typeof heldClock>;
  let started: RepositoryPoller[];

  beforeEach(() => {
    remote = memoryRemote();
    repository = memoryRepository({ remote });
    started = [];
  });
  afterEach(async () => {
    for (const poller of started) await poller[Symbol.asyncDispose]();
  });

  async function start(part: Partial<PollerSettings> = {}): Promise<RepositoryPoller> {
    time = heldClock();
    const poller = new RepositoryPoller({
      ...{ repository, branch: 'main', historyRef: HISTORY, root: '', intervalMs: 1_000 },
      ...{ hintDirectory: null, clock: time.clock, log: silentLog().log, ...part },
    });
    started.push(poller);
    await time.rest();
    return poller;
  }
  async function push(text: string, parent = remote.refs.get(MAIN) ?? null, ref = MAIN): Promise<CommitSha> {
    const edits = new Map([[RELEASE, text]]);
    const commit = await repository.commit({ parent, edits, message: text, author, at: 5_000 }, signal);
    remote.refs.set(ref, commit);
    return commit;
  }
  async function look(): Promise<void> {
    time.advance(10_000);
    await time.rest();
  }
  const textIn = (poller: RepositoryPoller): unknown => poller.latest()?.files.get(RELEASE);

  it('shows what it was before and what it is now, and since when', async () => {
    const good = await push('good');
    const poller = await start();
    const rewritten = await push('rewritten', null);
    await look();
    await look();

    expect(poller.latest()!.head).toBe(good);
    expect(poller.contact().failure).toEqual({
      code: 'E_HISTORY_REWRITTEN',
      message: expect.stringMatching(
        new RegExp(`${good.slice(0, 7)}.*accept-rewrite ${rewritten.slice(0, 7)}`),
      ),
      since: 11_000,
      rewritten: { ref: MAIN, before: good, after: rewritten },
    });
  });

  it('goes on from the new head once a person accepts it, without a restart', async () => {
    await push('good');
    const poller = await start();
    const rewritten = await push('rewritten', null);
    await look();

    expect(poller.acceptRewrite(rewritten)).toBe('accepted');
    await time.rest();
    expect(poller.contact().failure).toBeNull();
    expect(poller.latest()).toMatchObject({ head: rewritten, subject: 'rewritten' });
    expect([...poller.latest()!.history.commits.keys()]).toEqual([rewritten]);
    const next = await push('next');
    await look();
    expect(poller.latest()).toMatchObject({ head: next });
    expect(textIn(poller)).toMatchObject({ text: 'next' });
  });

  it('accepts the very head that was seen and no other, and nothing when nothing was rewritten', async () => {
    const good = await push('good');
    const poller = await start();
    expect(poller.acceptRewrite(good)).toBe('not-there');
    await push('rewritten', null);
    await look();

    expect(poller.acceptRewrite(good)).toBe('not-there');
    await look();
    expect(poller.latest()!.head).toBe(good);
  });

  it('takes what was pushed on top of the accepted head, and asks again when that is rewritten too', async () => {
    const good = await push('good');
    const poller = await start();
    const rewritten = await push('rewritten', null);
    await look();
    const onTop = await push('on top', rewritten);

    expect(poller.acceptRewrite(rewritten)).toBe('accepted');
    await time.rest();
    expect(poller.latest()!.head).toBe(onTop);
    const again = await push('again', null);
    await look();
    expect(poller.contact().failure?.rewritten).toEqual({ ref: MAIN, before: onTop, after: again });
    const third = await push('third', null);
    expect(poller.acceptRewrite(again)).toBe('accepted');
    await time.rest();
    expect([poller.latest()!.head, poller.contact().failure?.rewritten?.after]).toEqual([onTop, third]);
    remote.refs.set(MAIN, good);
    await look();
    expect(poller.contact().failure).toMatchObject({ rewritten: { after: good } });
  });

  it('can be answered while the remote is away', async () => {
    await push('good');
    const poller = await start();
    const rewritten = await push('rewritten', null);
    await look();
    remote.isReachable = false;
    await look();

    expect(poller.contact().failure).toMatchObject({
      code: 'E_GIT_UNREACHABLE',
      since: 11_000,
      rewritten: { after: rewritten },
    });
    expect(poller.acceptRewrite(rewritten)).toBe('accepted');
    await time.rest();
    remote.isReachable = true;
    await look();
    expect(poller.latest()!.head).toBe(rewritten);
  });

  it('goes on by itself when the branch is restored', async () => {
    const good = await push('good');
    const poller = await start();
    await push('rewritten', null);
    await look();
    remote.refs.set(MAIN, good);
    await look();

    expect(poller.contact().failure).toBeNull();
    expect(poller.latest()!.head).toBe(good);
  });

  it('notices one that happened while nobody looked, and serves what was seen last', async () => {
    const good = await push('good');
    await (await start())[Symbol.asyncDispose]();
    const rewritten = await push('rewritten', null);

    const poller = await start({ lastSeen: good });
    expect(poller.latest()!.head).toBe(good);
    expect(poller.contact().failure).toMatchObject({ rewritten: { before: good, after: rewritten } });
    expect(poller.acceptRewrite(rewritten)).toBe('accepted');
    await time.rest();
    expect(poller.latest()!.head).toBe(rewritten);
    expect(textIn(poller)).toMatchObject({ text: 'rewritten' });
  });

  it('notices it also when the last life had fetched it but not published it', async () => {
    const good = await push('good');
    const earlier = await start();
    const rewritten = await push('rewritten', null);
    await look();
    await earlier[Symbol.asyncDispose]();
    remote.isReachable = false;

    const poller = await start({ lastSeen: good });
    expect(poller.latest()!.head).toBe(good);
    remote.isReachable = true;
    await look();
    expect(poller.contact().failure).toMatchObject({ rewritten: { before: good, after: rewritten } });
  });

  it('has no view, and says so, when neither the clone nor the remote knows what was seen last', async () => {
    const rewritten = await push('rewritten');
    const gone = '1234567890123456789012345678901234567890' as CommitSha;

    const poller = await start({ lastSeen: gone });
    expect(poller.latest()).toBeNull();
    expect(poller.contact().failure).toMatchObject({ rewritten: { before: gone, after: rewritten } });
    expect(poller.acceptRewrite(rewritten)).toBe('accepted');
    await time.rest();
    expect(poller.latest()!.head).toBe(rewritten);
  });

  it('does not mind a branch that went on while nobody looked', async () => {
    const good = await push('good');
    await (await start())[Symbol.asyncDispose]();
    const next = await push('next');

    const poller = await start({ lastSeen: good });
    expect(poller.contact().failure).toBeNull();
    expect(poller.latest()!.head).toBe(next);
  });

  it('alarms when the branch is gone that was seen last, also right at its start', async () => {
    const good = await push('good');
    remote.refs.delete(MAIN);

    const poller = await start({ lastSeen: good });
    expect(poller.latest()).toBeNull();
    expect(poller.contact().failure).toMatchObject({ code: 'E_GIT_EMPTY' });
  });

  it('can accept another chain of records too', async () => {
    await push('good');
    const first = await push('1', null, HISTORY);
    const poller = await start();
    const forged = await push('forged', null, HISTORY);
    await look();

    expect(poller.contact().failure?.rewritten).toEqual({ ref: HISTORY, before: first, after: forged });
    expect(poller.acceptRewrite(forged)).toBe('accepted');
    await time.rest();
    expect(poller.latest()!.records.map(({ commit }) => commit)).toEqual([forged]);
    const next = await push('2', forged, HISTORY);
    await look();
    expect(poller.latest()!.records.map(({ commit }) => commit)).toEqual([forged, next]);
  });
});
