import { describe, expect, test } from 'vitest';
import type { ToldEvent } from '../../faults/world/chronicle.ts';
import { goodSoak, lifeOf, MINUTE, STARTED_AT } from '../seen.fixture.ts';
import { alarmsOf } from './alarms.ts';
import type { Failure } from './failures.ts';
import { judgeSoak } from './verdict.ts';

const MIB = 2 ** 20;
const failure: Failure = {
  environment: 'prod',
  model: 'wine',
  version: '1.0.0',
  status: 503,
  failure: null,
  sentAt: STARTED_AT + MINUTE,
  atMs: STARTED_AT + MINUTE + 20,
};
const excuse = {
  kind: 'front killed',
  environment: 'prod',
  model: 'wine',
  fromMs: STARTED_AT + MINUTE,
  untilMs: STARTED_AT + MINUTE + 1500,
} as const;
const told = (seq: number, type: string, at = 0, kind = 'rollback'): ToldEvent => ({
  seq,
  at: STARTED_AT + at,
  type,
  subject: 'prod/wine',
  operation: '0123456789abcdef',
  data: { kind },
});

describe('the verdict on a soak', () => {
  test('says what was promised where nothing went wrong', () => {
    const { sentence, isOk, violations } = judgeSoak(goodSoak());

    expect(violations).toEqual([]);
    expect(isOk).toBe(true);
    expect(sentence).toBe(
      '0 failed requests to good versions of 135,000; memory flat in all of 1 process that lived for twenty minutes; 1 of 1 deeds proven; nothing diverged or was left at the end.',
    );
  });

  test('counts what is excused apart from what is not', () => {
    const failures = [
      failure,
      { ...failure, version: '2.1.0' },
      { ...failure, sentAt: STARTED_AT + 5 * MINUTE, atMs: STARTED_AT + 5 * MINUTE },
    ];

    const judged = judgeSoak(goodSoak({ failures, excuses: [excuse] }));

    expect(judged.failures).toEqual({
      'good version': 1,
      'bad version': 1,
      'front killed': 1,
      'engine stopped': 0,
    });
    expect(judged.violations).toEqual([
      '1 failed request to good versions, the first 300 s from the start: prod/wine 1.0.0 answered 503',
    ]);
    expect(judged.sentence).toMatch(/^1 failed request to good versions of 135,000;/);
  });

  test.each([
    ['an outage without end', { excuses: [{ ...excuse, untilMs: null }] }, /did not answer within 30 s/],
    ['a long outage', { excuses: [{ ...excuse, untilMs: excuse.fromMs + 40_000 }] }, /did not answer/],
    ['no request', { requests: 0 }, /nothing was soaked/],
    ['what is left', { left: ['up.json was left behind'] }, /left behind/],
    ['what does not settle', { unsettled: ['prod/wine is canary'] }, /not settled at the end: prod/],
    ['a rewritten history', { brokenInGit: ['history was rewritten'] }, /rewritten/],
    [
      'memory that rises',
      { processes: [lifeOf('front', 9, part => (100 + 90 * part) * MIB)] },
      /memory of front/,
    ],
    [
      'descriptors',
      {
        processes: [
          lifeOf(
            'front',
            9,
            () => MIB,
            part => 20 + 90 * part,
          ),
        ],
      },
      /descriptors of front/,
    ],
    [
      'a hole in the event log',
      { events: [told(1, 'commit.seen'), told(3, 'commit.seen')] },
      /has 3 in place 2/,
    ],
    ['a divergence that stays', { events: [told(1, 'divergence.found')] }, /1 divergence found/],
    ['what was withheld', { events: [told(1, 'operation.withheld')] }, /1 operation withheld/],
    [
      'an operation without end',
      { events: [told(1, 'operation.intended')] },
      /rollback of prod\/wine was open/,
    ],
    [
      'a slow operation',
      { events: [told(1, 'operation.intended'), told(2, 'operation.done', 4 * MINUTE)] },
      /was open for 240 s/,
    ],
  ])('finds %s', (_, change, words) => {
    const { violations, isOk } = judgeSoak(goodSoak(change));

    expect(violations).toEqual([expect.stringMatching(words)]);
    expect(isOk).toBe(false);
  });

  test('takes an operation that ends in time, and a record that nobody merges, as ended', () => {
    const events = [
      told(1, 'operation.intended'),
      told(2, 'operation.done', 2 * MINUTE),
      { ...told(3, 'operation.intended', 0, 'record'), operation: 'other' },
      { ...told(4, 'operation.refused', 1000, 'record'), operation: 'other' },
    ];

    expect(judgeSoak(goodSoak({ events })).violations).toEqual([]);
  });

  test('tells alarms on good versions, and leaves those on bad ones out', () => {
    const alarm = (seq: number, version: string): ToldEvent => ({
      ...told(seq, 'verdict.degraded'),
      data: { version },
    });
    const events = [alarm(1, '2.0.0'), alarm(2, '2.1.0'), told(3, 'commit.seen')];

    expect(alarmsOf(goodSoak({ events })).map(({ seq }) => seq)).toEqual([1]);
    expect(judgeSoak(goodSoak({ events })).sentence).toContain('1 alarm on good versions');
  });

  test('finds a deed that was not proven, and none that was only interrupted', () => {
    const [deed] = goodSoak().deeds;
    const failed = { ...deed!, outcome: 'not proven' as const, words: 'waited in vain' };

    expect(judgeSoak(goodSoak({ deeds: [failed] })).violations).toEqual([`${deed!.what}: waited in vain`]);
    const cut = judgeSoak(goodSoak({ deeds: [{ ...failed, outcome: 'interrupted' }], isInterrupted: true }));
    expect(cut.violations).toEqual([]);
    expect(cut.sentence).toMatch(/^Interrupted after 30.0 of 30 min: /);
  });
});
