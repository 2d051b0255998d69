import { type BlobId, CommitSha } from '@switchback-ml/schemas';
import type { PathChange, RepositoryHistory, RevisionSpec } from '../desired/desired-state.ts';
import { revision, versionDigest } from '../desired/identity.ts';
import { recordMessage } from '../proposal/message.ts';
import type { HistoryEntry } from '../repository/repository.ts';
import type { Settled } from '../rollout/rollout-state.ts';
import { NOW, ONE, SETTINGS, SUBJECT } from './deployed.fixture.ts';

/** Releases in the order of the branch, one commit each. */
export function historyOf(
  ...releases: [path: string, version: string | null, at: number][]
): RepositoryHistory {
  const paths = new Map<string, PathChange[]>();
  const texts = new Map<BlobId, string>();
  const commits = new Map<CommitSha, number>();
  for (const [index, [path, version, at]] of releases.entries()) {
    const blob = version === null ? null : (sha(index + 100) as string as BlobId);
    if (blob) texts.set(blob, `version: "${version}"\n`);
    commits.set(sha(index), index);
    const change = { commit: sha(index), parent: null, at, author: 'mei', blob, alone: true };
    paths.set(path, [...(paths.get(path) ?? []), { ...change, subject: `release ${version}` }]);
  }
  return { paths, texts, order: new Map(), commits };
}

/** A commit of the history ref as the controller writes it. */
export function recordOf(part: Partial<Settled>): HistoryEntry {
  const settled: Settled = {
    subject: SUBJECT,
    outcome: 'baked',
    commit: sha(0),
    startedAt: NOW,
    at: NOW,
    trail: [],
    verdict: null,
    ...part,
    revision: whole(part.revision ?? ONE),
    stable: part.stable == null ? null : whole(part.stable),
  };
  const stamp = { operation: '0123456789abcdef' as never, epoch: 1 };
  const [subject = '', ...body] = recordMessage({ kind: 'record', settled }, stamp).split('\n');
  return {
    commit: sha(settled.at % 1_000_000_007),
    parent: null,
    at: settled.at,
    author: 'Switchback',
    subject,
    body: body.join('\n'),
    changes: [],
  };
}

/** With the digest that its artifacts have, as a record must. */
function whole({ version: label, artifacts, signature }: RevisionSpec): RevisionSpec {
  return revision({ label, digest: versionDigest(artifacts, signature), artifacts, signature }, SETTINGS);
}

export function sha(index: number): CommitSha {
  return CommitSha.parse(index.toString(16).padStart(40, '0'));
}
