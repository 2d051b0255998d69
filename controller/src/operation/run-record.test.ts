import { expect, test } from 'vitest';
import { memoryRemote, memoryRepository } from '../repository/memory/index.ts';
import type { RepositoryView } from '../repository/view.ts';
import { START, settledOf, specOf } from '../rollout/rollout.fixture.ts';
import { intend } from './open-operations.ts';
import { runRecord } from './run-record.ts';
import type { RunnerWorld } from './runner-world.ts';

const HISTORY = 'refs/switchback/history';
const signal = AbortSignal.timeout(30_000);
const intent = { kind: 'record' as const, settled: settledOf('baked', specOf('1.3.0')) };
const { operation } = intend(intent, 'intended', START);

test('pushes a record once, though the poller has not seen what was pushed right before a crash', async () => {
  await using repository = memoryRepository({ remote: memoryRemote() });
  const seen: Pick<RepositoryView, 'records'> = { records: [] };
  const world = worldOf(repository, seen);
  const first = await runRecord(world, operation, intent, signal);
  const again = await runRecord(world, operation, intent, signal);

  const head = await repository.fetch(HISTORY, signal);
  const commit = head.kind === 'commit' ? head.commit : null;
  expect(first).toMatchObject({ state: 'done', result: { commit } });
  expect(again).toEqual(first);
  expect(await repository.history(null, commit!, signal)).toHaveLength(1);
});

/** The parts that a record needs. */
function worldOf(repository: RunnerWorld['repository'], seen: Pick<RepositoryView, 'records'>): RunnerWorld {
  const watch = { latest: () => seen, nudge: () => {} } as unknown as RunnerWorld['watch'];
  const author = { name: 'Switchback', email: 'switchback@localhost' };
  return { repository, watch, historyRef: HISTORY, author, epoch: () => 1 } as unknown as RunnerWorld;
}
