import { Status, type Wait } from '@switchback-ml/schemas';
import { describe, expect, it } from 'vitest';
import { duration } from './age.ts';
import { problemLine, statusText, waitLines } from './status.ts';
import { table } from './table.ts';

const AT = Date.parse('2026-11-23T10:00:00Z');
const wait: Wait = {
  what: '1.1.0 soaks in staging',
  since: AT - 90_000,
  until: AT + 600_000,
  who: 'time',
  command: 'switchback promote screening@1.1.0 prod',
};

function statusWith(deployment: object, more: object = {}): Status {
  return Status.parse({
    at: AT,
    address: 'http://127.0.0.1:4000',
    repository: {
      url: 'https://host/models.git',
      branch: 'main',
      commit: '4f2a91c'.padEnd(40, '0'),
      subject: 'prod/screening: promote 1.1.0',
      ageMs: 2000,
      failure: null,
    },
    environments: [
      {
        name: 'prod',
        mode: 'act',
        promotesFrom: ['staging'],
        address: 'http://127.0.0.1:4001',
        deployments: [
          {
            model: 'screening',
            version: '1.1.0',
            phase: 'canary',
            backends: [],
            verdict: null,
            paused: false,
            waits: [],
            conditions: [],
            ...deployment,
          },
        ],
      },
    ],
    operations: [],
    problems: [],
    ...more,
  });
}

const backend = (version: string, weight: number, role: string, state = 'ready') => ({
  version,
  weight,
  role,
  state,
  revision: '0123456789ab-01234567',
});
const verdict = (kind: string, reason: string) => ({ verdict: kind, reason, findings: [], requests: 10 });

describe('the status', () => {
  it('says on a line which versions have which share, how far it is, and how it is judged', () => {
    const text = statusText(
      statusWith({
        backends: [backend('1.0.0', 80, 'stable'), backend('1.1.0', 20, 'candidate', 'loading')],
        verdict: verdict('degraded', 'errors 5.1 % against 0.1 %'),
      }),
    );

    expect(text).toContain('main  reached 2 s ago');
    expect(text).toContain('4f2a91c prod/screening: promote 1.1.0');
    expect(text).toContain('prod  http://127.0.0.1:4001  act  from staging');
    expect(text).toContain(
      'screening  1.0.0 80 %, 1.1.0 20 % loading  canary  degraded: errors 5.1 % against 0.1 %',
    );
  });

  it('answers the five questions of a wait', () => {
    expect(waitLines(wait, AT).join('\n')).toBe(
      '    … 1.1.0 soaks in staging\n' +
        '      since 09:58:30Z (1 min), until 10:10:00Z (in 10 min); moved by time: switchback promote screening@1.1.0 prod',
    );
    expect(waitLines({ ...wait, until: null }, AT)[1]).toContain('no deadline');
    expect(waitLines({ ...wait, until: AT - 1 }, AT)[1]).toContain('overdue');
  });

  it('shows the conditions that matter and no others', () => {
    const condition = (type: string, status: boolean) => ({
      type,
      status,
      reason: 'Why',
      message: `${type} it is`,
      since: AT,
    });
    const text = statusText(
      statusWith({
        conditions: [
          condition('Ready', true),
          condition('Reconciling', true),
          condition('Held', true),
          condition('Stalled', false),
        ],
      }),
    );

    expect(text).toContain('! Held, Why: Held it is');
    expect(text).not.toMatch(/Ready it is|Reconciling it is|Stalled it is/);
    expect(statusText(statusWith({ conditions: [condition('Ready', false)] }))).toContain('! Ready, Why');
  });

  it("gives a verdict's reason once, when a wait gives it too", () => {
    const what = '1.1.0 bakes; inconclusive: no requests yet';
    const text = statusText(
      statusWith({ verdict: verdict('inconclusive', 'no requests yet'), waits: [{ ...wait, what }] }),
    );

    expect(text.match(/no requests yet/g)).toHaveLength(1);
  });

  it('lets no text from git move the cursor or fake a line', () => {
    const hostile = 'all is well\u001b[2J\nprod  healthy';
    const text = statusText(
      statusWith(
        { waits: [{ ...wait, what: hostile }] },
        { problems: [{ code: 'E_X', severity: 'error', path: 'a', message: hostile, remedy: '' }] },
      ),
    );

    expect(text).not.toContain('\u001b');
    expect(text.split('\n').filter(line => line.startsWith('prod  healthy'))).toEqual([]);
  });

  it('puts file and line before a problem, once', () => {
    const problem = {
      code: 'E_MANIFEST_FIELD',
      severity: 'error' as const,
      path: 'environments/prod/environment.yaml',
      line: 4,
      field: 'mode',
      message: 'environments/prod/environment.yaml:4 mode: must be one of observe, propose, act',
      remedy: 'See docs/reference for the kind.',
    };

    expect(problemLine(problem)).toBe(
      'environments/prod/environment.yaml:4: error: mode: must be one of observe, propose, act. See docs/reference for the kind. [E_MANIFEST_FIELD]',
    );
  });
});

describe('words', () => {
  it('says durations in one unit', () => {
    expect([0, 999, 59_999, 60_000, 7_200_000, 200_000_000].map(duration)).toEqual([
      '0 s',
      '0 s',
      '59 s',
      '1 min',
      '2 h',
      '2 d',
    ]);
  });

  it('lines columns up', () => {
    expect(
      table([
        ['a', 'bb', 'c'],
        ['aaa', 'b', ''],
      ]),
    ).toBe('a    bb  c\naaa  b');
  });
});
