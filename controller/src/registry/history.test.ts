import { type BlobId, CommitSha } from '@switchback-ml/schemas';
import { describe, expect, test } from 'vitest';
import type { PathChange, RepositoryHistory } from '../desired/desired-state.ts';
import { revision, versionDigest } from '../desired/identity.ts';
import { recordMessage } from '../proposal/message.ts';
import type { HistoryEntry } from '../repository/repository.ts';
import { NOW, PROD, RELEASE, SCREENING, SETTINGS, SUBJECT, VERSIONS } from './deployed.fixture.ts';
import { HistoryItem, historyItems } from './history.ts';

const DEV = 'environments/dev/screening/release.yaml';

describe('history', () => {
  test('has releases and what became of them, newest first, with their authors', () => {
    const view = {
      history: historyOf([RELEASE, '1.0.0', 0], [RELEASE, '1.1.0', 20]),
      records: [recorded(10)],
    };

    const items = historyItems(view, { environment: PROD, model: SCREENING });

    expect(items.map(item => HistoryItem.parse(item))).toEqual(items);
    expect(items).toEqual([
      {
        at: NOW + 20,
        environment: 'prod',
        model: 'screening',
        kind: 'release',
        commit: sha(1),
        version: '1.1.0',
        author: 'mei',
        subject: 'release 1.1.0',
      },
      {
        at: NOW + 10,
        environment: 'prod',
        model: 'screening',
        kind: 'record',
        commit: sha(0),
        version: '1.0.0',
        outcome: 'baked',
        subject: 'prod/screening: 1.0.0 baked',
      },
      expect.objectContaining({ at: NOW, kind: 'release', version: '1.0.0' }),
    ]);
  });

  test('is of one deployment, one environment, one model, or of all', () => {
    const view = { history: historyOf([RELEASE, '1.0.0', 0], [DEV, '1.1.0', 1]), records: [recorded(2)] };
    const count = (filter: object) => historyItems(view, filter).length;

    expect(
      [{}, { environment: PROD }, { model: SCREENING }, { environment: 'dev' }, { model: 'x' }].map(count),
    ).toEqual([3, 2, 3, 1, 0]);
  });

  test('keeps the order of the commits whatever their dates say', () => {
    const history = historyOf([RELEASE, '1.0.0', 50], [DEV, '1.2.0', 0], [RELEASE, '1.1.0', -50]);

    const versions = historyItems({ history, records: [] }, {}).map(({ version }) => version);
    expect(versions).toEqual(['1.1.0', '1.2.0', '1.0.0']);
  });

  test('says of a removed release that there was none from then on', () => {
    const view = { history: historyOf([RELEASE, '1.0.0', 0], [RELEASE, null, 1]), records: [] };

    expect(historyItems(view, {})[0]).toMatchObject({ version: null, kind: 'release' });
  });

  test('leaves out what anybody else has put on the history ref', () => {
    const alien: HistoryEntry = {
      ...recorded(1),
      body: 'record: {"subject":"prod/screening","outcome":"baked"}',
    };
    const view = { history: historyOf(), records: [alien, recorded(2)] };

    expect(historyItems(view, {})).toHaveLength(1);
  });
});

function historyOf(...releases: [path: string, version: string | null, at: number][]): RepositoryHistory {
  const paths = new Map<string, PathChange[]>();
  const texts = new Map<BlobId, string>();
  const commits = new Map<CommitSha, number>();
  for (const [index, [path, version, at]] of releases.entries()) {
    const blob = version === null ? null : (sha(index + 100) as string as BlobId);
    if (blob) texts.set(blob, `version: "${version}"\n`);
    commits.set(sha(index), index);
    const change = { commit: sha(index), parent: null, at: NOW + at, author: 'mei', blob, alone: true };
    paths.set(path, [...(paths.get(path) ?? []), { ...change, subject: `release ${version}` }]);
  }
  return { paths, texts, order: new Map(), commits };
}

/** A commit of the history ref as the controller writes it. */
function recorded(at: number): HistoryEntry {
  const [first] = VERSIONS;
  if (!first) throw new Error('no version');
  const digest = versionDigest(first.artifacts, first.signature);
  const settled = {
    subject: SUBJECT,
    outcome: 'baked' as const,
    revision: revision({ ...first, digest }, SETTINGS),
    stable: null,
    commit: sha(0),
    startedAt: NOW,
    at: NOW + at,
    trail: [],
    verdict: null,
  };
  const stamp = { operation: '0123456789abcdef' as never, epoch: 1 };
  const [subject = '', ...body] = recordMessage({ kind: 'record', settled }, stamp).split('\n');
  return {
    commit: sha(at + 200),
    parent: null,
    at: NOW + at,
    author: 'Switchback',
    subject,
    body: body.join('\n'),
    changes: [],
  };
}

function sha(index: number): CommitSha {
  return CommitSha.parse(index.toString(16).padStart(40, '0'));
}
