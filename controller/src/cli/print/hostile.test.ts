import type { Status, Wait } from '@switchback-ml/schemas';
import { plain, printable } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diagnosisText } from './doctor.ts';
import { eventLine } from './event.ts';
import { documentsText, settingsText } from './get.ts';
import { historyText, thenText } from './history.ts';
import { logLineText } from './log-line.ts';
import { outcomeText } from './outcome.ts';
import { sourceText } from './source.ts';
import { problemsText, statusText } from './status.ts';
import { whyNotText } from './why-not.ts';

/** Clears the screen, goes up a line, turns the text round, ends the line, and names a false link. */
const EVIL =
  '\u001b[2J\u001b[1A\u202eevil\r\n\u2028ok    push\u009b31m\u0007\u001b]8;;http://x\u001b\\\t\u200b\u0000end';
const wait: Wait = { what: EVIL, since: 0, until: null, who: EVIL, command: EVIL };

/** Each printer with the text in every place that somebody else can fill. */
const PRINTED: Record<string, (evil: string) => string> = {
  history: evil =>
    historyText(
      {
        items: [
          {
            at: 0,
            environment: evil,
            model: evil,
            kind: 'release',
            commit: evil,
            version: evil,
            author: evil,
            subject: evil,
          },
        ],
      } as never,
      0,
      false,
    ),
  'history at a time': evil =>
    thenText({
      at: 0,
      items: [
        {
          environment: evil,
          model: evil,
          release: { at: 0, commit: evil, version: evil, author: evil, subject: evil },
          shares: [{ version: evil, weight: 1 }],
          from: 'record',
          rollout: {
            version: evil,
            outcome: 'baked',
            startedAt: 0,
            at: 0,
            verdict: { verdict: 'degraded', reason: evil },
          },
        },
      ],
    } as never),
  'why not': evil =>
    whyNotText(
      {
        environment: evil,
        model: evil,
        version: evil,
        wanted: evil,
        weight: 0,
        reasons: [{ ...wait, what: evil }],
      } as never,
      0,
    ),
  settings: evil =>
    settingsText({
      settings: [{ name: evil, value: evil, path: evil, line: 1 }],
      problems: [problem(evil)],
    } as never),
  log: evil =>
    logLineText({
      at: 0,
      level: 'info',
      source: evil,
      message: evil,
      fields: { [evil]: evil, deep: { a: evil } },
    } as never),
  event: evil =>
    eventLine(
      {
        seq: 1,
        at: 0,
        type: 'commit.seen',
        subject: evil,
        actor: evil,
        commit: evil,
        data: { [evil]: evil },
      } as never,
      0,
    ),
  outcome: evil =>
    outcomeText({ did: evil, git: { subject: evil, commit: evil, branch: evil }, undo: evil, notes: [evil] }),
  doctor: evil =>
    diagnosisText({
      checks: [{ name: evil, state: 'FAIL', said: evil, remedy: evil }],
      failed: 1,
      warned: 0,
    }),
  source: evil => sourceText({ kind: 'git', repository: evil, branch: evil, commit: evil, notes: [evil] }),
  problems: evil => problemsText([problem(evil)]),
  status: evil => statusText(statusOf(evil)),
};

function problem(evil: string) {
  return { code: evil, severity: 'error' as const, path: evil, message: evil, remedy: evil };
}

function statusOf(evil: string): Status {
  const deployment = {
    model: evil,
    version: evil,
    phase: 'canary',
    backends: [
      { version: evil, revision: evil, weight: 5, role: 'candidate', state: 'failed', failure: evil },
    ],
    verdict: { verdict: 'degraded', reason: evil, findings: [], requests: 1 },
    paused: false,
    waits: [{ ...wait, what: evil }],
    conditions: [{ type: 'Held', status: true, reason: evil, message: evil, since: 0 }],
  };
  return {
    at: 0,
    address: evil,
    repository: { url: evil, branch: evil, commit: evil, subject: evil, ageMs: 0, failure: evil },
    environments: [
      { name: evil, mode: 'act', promotesFrom: [evil], address: evil, deployments: [deployment] },
    ],
    operations: [
      { id: evil, kind: 'record', subject: evil, state: evil, since: 0, summary: evil, waits: [wait] },
    ],
    problems: [problem(evil)],
  } as never;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: looking for them is the point
const DANGEROUS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/;

describe('foreign text on a terminal', () => {
  it.each(Object.entries(PRINTED))('stays text, and on its own line, in %s', (_, print) => {
    const evil = print(EVIL);
    const tame = print('tame');

    expect(evil).not.toMatch(DANGEROUS);
    expect(evil.split('\n').length).toBe(tame.split('\n').length);
  });

  it('shows what it is made of', () => {
    expect(plain('a\u001b[2Jb\r\n\tc\u202ed')).toBe('a\\u001b[2Jb c\\u202ed');
    expect(plain('Grüße, 模型 😀')).toBe('Grüße, 模型 😀');
  });

  it('keeps the lines of a document, and nothing else', () => {
    const text = documentsText({
      documents: [{ paths: ['a.yaml'], text: 'a: "\u001b[2J"\nb: 1\n' }],
      settings: [],
      problems: [],
      source: { kind: 'git', repository: '', branch: '', commit: null, notes: [] },
    });

    expect(printable(text)).toBe('# a.yaml\na: "\\u001b[2J"\nb: 1\n');
  });

  it('means the same in JSON after it was made printable', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const printed = printable(JSON.stringify({ text }, null, 2));

        expect(printed).not.toMatch(DANGEROUS);
        expect(JSON.parse(printed)).toEqual({ text });
      }),
      { numRuns: 300 },
    );
  });
});
