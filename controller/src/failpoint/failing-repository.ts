import type { CommitSha } from '@switchback-ml/schemas';
import { trailer } from '../proposal/message.ts';
import type { Repository } from '../repository/repository.ts';
import { type Deed, type Failpoint, through } from './failpoint.ts';

const KINDS = ['rollback', 'promotion', 'record'] as const;

/** A repository whose fetches, commits and pushes can be cut off before and after, by the operation they are for. */
export function failingRepository(repository: Repository, reach: Failpoint, historyRef: string): Repository {
  const deeds = new Map<CommitSha, Deed>();
  return {
    diff: (...args) => repository.diff(...args),
    history: (...args) => repository.history(...args),
    isAncestor: (...args) => repository.isAncestor(...args),
    readBlob: (...args) => repository.readBlob(...args),
    recall: (...args) => repository.recall(...args),
    fetch: (ref, signal) =>
      through(reach, ref === historyRef ? 'records.fetch' : 'branch.fetch', () =>
        repository.fetch(ref, signal),
      ),
    revert: (...args) => through(reach, 'rollback.revert', () => repository.revert(...args)),
    commit: async (commit, signal) => {
      const kind = KINDS.find(known => known === trailer(commit.message, 'Kind')) ?? 'record';
      const sha = await through(reach, `${kind}.commit`, () => repository.commit(commit, signal));
      deeds.set(sha, `${kind}.push`);
      return sha;
    },
    push: (ref, expected, next, signal) =>
      through(reach, deeds.get(next) ?? 'record.push', () => repository.push(ref, expected, next, signal)),
    [Symbol.asyncDispose]: () => repository[Symbol.asyncDispose](),
  };
}
