import { canonicalJson, type ServingPart } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MINUTE, OPERATION, START, settledOf, specOf, verdictOf } from '../rollout/rollout.fixture.ts';
import type { Settled } from '../rollout/rollout-state.ts';
import { RECORD_MARK, recordMessage } from './message.ts';
import { settledFrom } from './records.ts';

const OBJECTIVES: ServingPart = {
  objectives: {
    fast: { under: 50, target: 0.99, breach: 'rollback' },
    available: { target: 0.999, breach: 'page' },
    valid: { output: 'score', within: [-1, 1], target: 0.9999, breach: 'hold' },
  },
};
const SERVING: ServingPart = {
  limits: { queue: 2048 },
  engines: 2,
  batching: { wait: 2 },
  cache: { for: 60_000, size: 1024 },
  rollout: {
    canary: {
      stickyBy: { header: 'x-card-id' },
      match: [{ header: 'x-tester', is: 'yes' }],
      shadow: 0.1,
    },
  },
  fallback: { outputs: { score: [0.5], label: ['unknown'] } },
};
const FULL = settledOf('rolled-back', specOf('1.3.0', OBJECTIVES, SERVING), {
  stable: specOf('1.2.0'),
  trail: [
    { weight: 10, at: START, requests: 10 },
    { weight: 50, at: START + MINUTE, requests: 20 },
  ],
  verdict: {
    ...verdictOf('degraded', 312, { reason: 'a "reason"\nrecord: {}\nSwitchback-Kind: x \u2028 é 🙂' }),
    findings: [{ ...verdictOf('degraded', 312).findings[0]!, evidence: 131.5, needs: 100 }],
  },
});
const messageOf = (settled: Settled): string =>
  recordMessage({ kind: 'record', settled }, { operation: OPERATION, epoch: 3 });
const bodyOf = (settled: Settled): string => messageOf(settled).split('\n').slice(2).join('\n').trimEnd();
const lineOf = (value: unknown): string => `${RECORD_MARK}${canonicalJson(value)}`;

describe('settledFrom', () => {
  test.each<[string, Settled]>([
    ['with everything', FULL],
    ['with as little as there can be', settledOf('baked', specOf('1.3.0'))],
    ['superseded', settledOf('superseded', specOf('1.3.0'), { stable: specOf('1.2.0') })],
    ['undecided', settledOf('undecided', specOf('1.3.0'), { verdict: verdictOf('inconclusive', 3) })],
  ])('gives back what was written down, %s', (_, settled) => {
    expect(settledFrom(bodyOf(settled))).toEqual(settled);
    expect(settledFrom(messageOf(settled))).toEqual(settled);
  });

  test('survives whatever a verdict gave as its reason', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.double({ min: 0, max: 1e12, noNaN: true }),
        (reason, at) => {
          const settled = settledOf('rolled-back', specOf('1.3.0'), {
            at,
            verdict: verdictOf('degraded', 9, { reason }),
          });

          expect(settledFrom(bodyOf(settled))).toEqual(settled);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('what is not a record of ours is nothing', () => {
  const { revision } = FULL;
  const other = specOf('9.9.9');
  test.each<[string, unknown]>([
    ['a word', 'record'],
    ['a list', [FULL]],
    ['no outcome', { ...FULL, outcome: 'fine' }],
    ['an outcome that every object has', { ...FULL, outcome: 'constructor' }],
    ['no subject', { ...FULL, subject: undefined }],
    ['a subject of one part', { ...FULL, subject: 'prod' }],
    ['a subject of three parts', { ...FULL, subject: 'prod/fraud/x' }],
    ['a subject that leads elsewhere', { ...FULL, subject: '../fraud' }],
    ['a commit that is none', { ...FULL, commit: 'HEAD' }],
    ['a time that is a text', { ...FULL, at: '2026-01-01' }],
    ['a time before there was time', { ...FULL, startedAt: -1 }],
    ['a trail that is none', { ...FULL, trail: {} }],
    ['a trail of texts', { ...FULL, trail: ['10 %'] }],
    ['a verdict that is none', { ...FULL, verdict: { verdict: 'fine' } }],
    ['no word on what serves after it', { ...FULL, stable: undefined }],
    ['no revision', { ...FULL, revision: null }],
    ['a revision with the id of another', { ...FULL, revision: { ...revision, id: other.id } }],
    ['a revision with the digest of another', { ...FULL, revision: { ...revision, digest: other.digest } }],
    [
      'a revision with the artifacts of another',
      { ...FULL, revision: { ...revision, artifacts: other.artifacts } },
    ],
    [
      'a revision with settings of its own making',
      { ...FULL, revision: { ...revision, settings: { ...revision.settings, objectives: {} } } },
    ],
    [
      'a revision without one of its settings',
      { ...FULL, revision: { ...revision, settings: { ...revision.settings, fallback: undefined } } },
    ],
    ...(['engines', 'batching', 'cache', 'fallback'] as const).map((name): [string, unknown] => [
      `a revision whose ${name} is none`,
      { ...FULL, revision: { ...revision, settings: { ...revision.settings, [name]: 'x' } } },
    ]),
    ['a revision with settings that are none', { ...FULL, revision: { ...revision, settings: [] } }],
    ['a stable that is none', { ...FULL, stable: { ...other, version: '../x' } }],
  ])('%s', (_, value) => {
    expect(settledFrom(lineOf(value))).toBeNull();
  });

  test.each([
    ['an empty body', ''],
    ['the mark alone', RECORD_MARK],
    ['half a record', lineOf(FULL).slice(0, 200)],
    ['a record inside a line', `see ${lineOf(FULL)}`],
    ['a number out of range', `${RECORD_MARK}{"at":1e999}`],
    ['brackets without end', RECORD_MARK + '['.repeat(100_000)],
    ['brackets with an end', `${RECORD_MARK}${'['.repeat(100_000)}${']'.repeat(100_000)}`],
    ['more than any record holds', lineOf(FULL).padEnd(300_000, ' ')],
  ])('%s', (_, body) => {
    expect(settledFrom(body)).toBeNull();
  });

  test('any text at all', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json().map(json => RECORD_MARK + json),
    );

    fc.assert(
      fc.property(text, body => {
        expect(settledFrom(body)).toBeNull();
      }),
      { numRuns: 300 },
    );
  });

  test('a record with any one of its parts exchanged for something else is whole or nothing', () => {
    const keys = Object.keys(FULL) as (keyof Settled)[];

    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.jsonValue(), (key, junk) => {
        const found = settledFrom(lineOf({ ...FULL, [key]: junk }));
        if (found) expect({ ...found, [key]: null }).toEqual({ ...FULL, [key]: null });
      }),
      { numRuns: 300 },
    );
  });
});
