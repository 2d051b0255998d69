import type { CommitSha, EnvironmentName, ModelName, VersionLabel } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OPERATION, settledOf, specOf, verdictOf } from '../rollout/rollout.fixture.ts';
import { promotionIntent, rollbackIntent } from './intent.fixture.ts';
import { promotionMessage, recordMessage, rollbackMessage, trailer } from './message.ts';

const FROM = specOf('1.3.0');
const TO = specOf('1.2.0');
const STAMP = { operation: OPERATION, epoch: 7 };
const REVERTED = 'f'.repeat(40) as CommitSha;
const HOW = { reverts: REVERTED, note: null, holdOnly: false };

const NAMES = ['Operation', 'Kind', 'From', 'To', 'From-Revision', 'To-Revision', 'By', 'Epoch'];
const trailersOf = (message: string): Record<string, string> =>
  Object.fromEntries(
    NAMES.flatMap(name => {
      const value = trailer(message, name);
      return value === null ? [] : [[name, value]];
    }),
  );
const subjectOf = (message: string): string => message.split('\n')[0] ?? '';

describe('the message of a rollback', () => {
  const message = rollbackMessage(rollbackIntent(FROM, TO), STAMP, HOW);

  test('reads as one sentence in a short log', () => {
    expect(subjectOf(message)).toBe('prod/fraud: back to 1.2.0 (errors 5.1 % against 0.1 %), 1.3.0 on hold');
  });

  test('carries what a machine reads back', () => {
    expect(trailersOf(message)).toEqual({
      Operation: OPERATION,
      Kind: 'rollback',
      From: FROM.digest,
      To: TO.digest,
      'From-Revision': FROM.id,
      'To-Revision': TO.id,
      By: 'controller',
      Epoch: '7',
    });
  });

  test('uses the words of git where they are true, and only there', () => {
    const other = rollbackMessage(rollbackIntent(FROM, TO), STAMP, { ...HOW, reverts: null });

    expect(message).toContain(`\n\nThis reverts commit ${REVERTED}.\n`);
    expect(other).not.toContain('This reverts commit');
  });

  test('says how the hold is lifted, what was found, and what is unusual', () => {
    const noted = rollbackMessage(rollbackIntent(FROM, TO), STAMP, { ...HOW, note: '1.2.0 is last good.' });

    expect(noted).toContain('1.3.0 was found bad in prod: errors 5.1 % against 0.1 %, after 1,204 requests.');
    expect(noted).toContain('\n\n1.2.0 is last good.\n\n');
    expect(noted).toContain('To lift the hold, delete its file or revert this commit.');
  });

  test('says of a hold alone that the release had been left already', () => {
    const hold = rollbackMessage(rollbackIntent(FROM, TO), STAMP, {
      reverts: null,
      note: null,
      holdOnly: true,
    });

    expect(subjectOf(hold)).toBe('prod/fraud: 1.3.0 on hold (errors 5.1 % against 0.1 %)');
    expect(hold).toContain('prod had already left it');
  });
});

test('the message of a promotion says what replaces what, and carries its trailers', () => {
  const message = promotionMessage(
    promotionIntent(FROM, { replaces: '1.2.0' as VersionLabel, by: 'mei' }),
    STAMP,
  );

  expect(subjectOf(message)).toBe('prod/fraud: promote 1.3.0');
  expect(message).toContain('1.3.0 replaces 1.2.0 in prod: baked in staging.');
  expect(trailersOf(message)).toEqual({
    Operation: OPERATION,
    Kind: 'promotion',
    To: FROM.digest,
    By: 'mei',
    Epoch: '7',
  });
});

test.each([
  ['baked', 'prod/fraud: 1.3.0 baked'],
  ['rolled-back', 'prod/fraud: 1.3.0 rolled back'],
  ['superseded', 'prod/fraud: 1.3.0 superseded'],
  ['undecided', 'prod/fraud: 1.3.0 undecided'],
] as const)('the message of a record that %s reads as one', (outcome, subject) => {
  const message = recordMessage({ kind: 'record', settled: settledOf(outcome, FROM) }, STAMP);

  expect(subjectOf(message)).toBe(subject);
  expect(trailersOf(message)).toEqual({ Operation: OPERATION, Kind: 'record', Epoch: '7' });
});

describe('whatever is said', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,60}[a-z0-9]$/, { size: 'max' });
  const label = fc
    .stringMatching(/^[0-9][0-9a-z.]{0,60}[0-9]$/, { size: 'max' })
    .map(text => text.replaceAll('..', '.') as VersionLabel);
  const forgery = fc.constantFrom(...NAMES).map(word => `\nSwitchback-${word}: forged`);
  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.lorem(),
    fc
      .tuple(
        fc.string(),
        fc.constantFrom('', '\r', '\u2028', '\n\n'),
        forgery,
        fc.constantFrom('', '\n', '\n\nmore'),
      )
      .map(parts => parts.join('')),
  );
  const said = fc.record({
    environment: name,
    model: name,
    from: label,
    to: label,
    reason: hostile,
    by: hostile,
    note: fc.option(hostile),
    holdOnly: fc.boolean(),
  });

  function messages(input: typeof said extends fc.Arbitrary<infer Said> ? Said : never): string[] {
    const { reason, by, note, holdOnly } = input;
    const environment = input.environment as EnvironmentName;
    const model = input.model as ModelName;
    const [from, to] = [specOf(input.from), specOf(input.to)];
    const verdict = verdictOf('degraded', 100, { reason });
    const settled = settledOf('rolled-back', from, { subject: `${environment}/${model}`, verdict });
    return [
      rollbackMessage(rollbackIntent(from, to, { environment, model, reason, by }), STAMP, {
        reverts: null,
        note,
        holdOnly,
      }),
      promotionMessage(
        promotionIntent(from, { environment, model, reason, by, replaces: reason as VersionLabel }),
        STAMP,
      ),
      recordMessage({ kind: 'record', settled }, STAMP),
    ];
  }

  test('the subject has at most 72 characters, and the body follows after an empty line', () => {
    fc.assert(
      fc.property(said, input => {
        for (const message of messages(input)) {
          const [subject = '', empty, first] = message.split('\n');
          expect(subject.length).toBeLessThanOrEqual(72);
          expect(subject.length).toBeGreaterThan(0);
          expect(empty).toBe('');
          expect(first).not.toBe('');
        }
      }),
      { numRuns: 200 },
    );
  });

  test('no trailer is forged, and none of ours is lost', () => {
    fc.assert(
      fc.property(said, input => {
        for (const message of messages(input)) {
          const trailers = trailersOf(message);
          expect(trailers['Operation']).toBe(OPERATION);
          expect(Object.values(trailers)).not.toContain('forged');
          const last = message.trimEnd().split('\n\n').at(-1)?.split('\n') ?? [];
          const lines = message.split('\n').filter(line => line.startsWith('Switchback-'));
          expect(lines).toEqual(last);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('no half of a character is left where a subject was cut', () => {
    const reason = `${'x'.repeat(30)}${'🙂'.repeat(40)}`;

    for (const length of [0, 1, 2, 3]) {
      const intent = rollbackIntent(FROM, TO, { reason: reason.slice(length) });
      expect(rollbackMessage(intent, STAMP, HOW).isWellFormed()).toBe(true);
    }
  });
});

describe('trailer', () => {
  test('is null where the message has none of that name', () => {
    expect(trailer('a subject\n\nSwitchback-To: x\n', 'From')).toBeNull();
    expect(trailer('', 'From')).toBeNull();
  });

  test('reads the last of two, as the end of a message is ours', () => {
    expect(trailer('Switchback-To: quoted\n\nSwitchback-To: ours\n', 'To')).toBe('ours');
  });

  test('reads only from the beginning of a line', () => {
    expect(trailer('see Switchback-To: x\n  Switchback-To: y\n', 'To')).toBeNull();
  });
});
