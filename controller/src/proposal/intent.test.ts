import type { CommitSha } from '@switchback-ml/schemas';
import { expect, test } from 'vitest';
import { COMMIT, settledOf, specOf } from '../rollout/rollout.fixture.ts';
import { promotionIntent, rollbackIntent } from './intent.fixture.ts';
import { type Intent, operationId, subjectOfIntent } from './intent.ts';

const FROM = specOf('1.3.0');
const TO = specOf('1.2.0');
const OTHER = 'd'.repeat(40) as CommitSha;
const rollback = rollbackIntent(FROM, TO);
const promotion = promotionIntent(FROM);
const record: Intent = { kind: 'record', settled: settledOf('baked', FROM) };

test.each<[string, Intent, Intent]>([
  ['a rollback in other words', rollback, { ...rollback, reason: 'other words', evidence: {} }],
  ['a promotion in other words', promotion, { ...promotion, reason: 'other words', by: 'mei' }],
  ['a record at another time', record, { kind: 'record', settled: settledOf('baked', FROM, { at: 1 }) }],
  ['what was written down and read again', rollback, JSON.parse(JSON.stringify(rollback))],
])('%s is the same operation', (_, one, other) => {
  expect(operationId(other)).toBe(operationId(one));
});

test.each<[string, Intent, Intent]>([
  ['a rollback of the same revision brought by another commit', rollback, { ...rollback, cause: OTHER }],
  ['a rollback of other settings', rollback, rollbackIntent(specOf('1.3.0', { limits: { timeout: 5 } }), TO)],
  ['a rollback to elsewhere', rollback, rollbackIntent(FROM, specOf('1.1.0'))],
  ['a rollback that a person asks for', rollback, { ...rollback, by: 'mei' }],
  ['a promotion decided on another head', promotion, { ...promotion, base: OTHER }],
  ['a promotion of another version', promotion, promotionIntent(TO)],
  ['a record of another outcome', record, { kind: 'record', settled: settledOf('rolled-back', FROM) }],
  [
    'a record of another try',
    record,
    { kind: 'record', settled: settledOf('baked', FROM, { startedAt: 1 }) },
  ],
  [
    'a record of another commit',
    record,
    { kind: 'record', settled: settledOf('baked', FROM, { commit: OTHER }) },
  ],
  ['a rollback', rollback, promotion],
])('%s is another operation', (_, one, other) => {
  expect(COMMIT).not.toBe(OTHER);
  expect(operationId(one)).toMatch(/^[0-9a-f]{16}$/);
  expect(operationId(other)).not.toBe(operationId(one));
});

test('every intent names the deployment it is about', () => {
  expect([rollback, promotion, record].map(subjectOfIntent)).toEqual([
    'prod/fraud',
    'prod/fraud',
    'prod/fraud',
  ]);
});
