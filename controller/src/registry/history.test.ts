import { describe, expect, test } from 'vitest';
import type { HistoryEntry } from '../repository/repository.ts';
import { NOW, PROD, RELEASE, SCREENING } from './deployed.fixture.ts';
import { historyOf, recordOf, sha } from './history.fixture.ts';
import { HistoryItem, historyItems } from './history.ts';

const DEV = 'environments/dev/screening/release.yaml';

describe('history', () => {
  test('has releases and what became of them, newest first, with their authors', () => {
    const view = {
      history: historyOf([RELEASE, '1.0.0', NOW + 0], [RELEASE, '1.1.0', NOW + 20]),
      records: [recordOf({ at: NOW + 10 })],
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
    const view = {
      history: historyOf([RELEASE, '1.0.0', NOW + 0], [DEV, '1.1.0', NOW + 1]),
      records: [recordOf({ at: NOW + 2 })],
    };
    const count = (filter: object) => historyItems(view, filter).length;

    expect(
      [{}, { environment: PROD }, { model: SCREENING }, { environment: 'dev' }, { model: 'x' }].map(count),
    ).toEqual([3, 2, 3, 1, 0]);
  });

  test('keeps the order of the commits whatever their dates say', () => {
    const history = historyOf(
      [RELEASE, '1.0.0', NOW + 50],
      [DEV, '1.2.0', NOW + 0],
      [RELEASE, '1.1.0', NOW - 50],
    );

    const versions = historyItems({ history, records: [] }, {}).map(({ version }) => version);
    expect(versions).toEqual(['1.1.0', '1.2.0', '1.0.0']);
  });

  test('says of a removed release that there was none from then on', () => {
    const view = { history: historyOf([RELEASE, '1.0.0', NOW + 0], [RELEASE, null, NOW + 1]), records: [] };

    expect(historyItems(view, {})[0]).toMatchObject({ version: null, kind: 'release' });
  });

  test('leaves out what anybody else has put on the history ref', () => {
    const alien: HistoryEntry = {
      ...recordOf({ at: NOW + 1 }),
      body: 'record: {"subject":"prod/screening","outcome":"baked"}',
    };
    const view = { history: historyOf(), records: [alien, recordOf({ at: NOW + 2 })] };

    expect(historyItems(view, {})).toHaveLength(1);
  });
});
