import type { EnvironmentName, ModelName, VersionLabel } from '@switchback-ml/schemas';
import { describe, expect, it } from 'vitest';
import type { RanAt, WhyNot } from '../../command/index.ts';
import { historyText, thenText } from './history.ts';
import { whyNotText } from './why-not.ts';

const AT = Date.parse('2026-11-23T10:00:00Z');
const prod = 'prod' as EnvironmentName;
const fraud = 'fraud' as ModelName;
const version = (label: string) => label as VersionLabel;

const ran: RanAt = {
  environment: prod,
  model: fraud,
  release: {
    at: AT - 60_000,
    commit: '4f2a91c07d1e'.padEnd(40, '0'),
    version: version('1.2.0'),
    author: 'Mei',
    subject: 'prod/fraud: promote 1.2.0 (#42)',
  },
  shares: [
    { version: version('1.1.0'), weight: 50, atMost: 95 },
    { version: version('1.2.0'), weight: 5, atMost: 50 },
  ],
  from: 'record',
  rollout: {
    version: version('1.2.0'),
    outcome: 'rolled-back',
    startedAt: AT - 59_000,
    at: AT + 60_000,
    verdict: { verdict: 'degraded', reason: 'errors 5.1 % against 0.1 %', findings: [], requests: 9 },
  },
};

describe('what ran at a time', () => {
  it('is told with who released it, by which commit, and the verdict', () => {
    expect(thenText({ at: AT, items: [ran] })).toBe(
      [
        'at 2026-11-23 10:00:00Z',
        '',
        'prod/fraud  1.1.0 50 to 95 %, 1.2.0 5 to 50 %',
        '  released    1.2.0 at 2026-11-23 09:59:00Z by Mei',
        '  commit      4f2a91c07d1e prod/fraud: promote 1.2.0 (#42)',
        '  rollout     1.2.0 from 2026-11-23 09:59:01Z, rolled back at 2026-11-23 10:01:00Z',
        '  verdict     degraded: errors 5.1 % against 0.1 %',
        '',
      ].join('\n'),
    );
  });

  it('says what git does not know', () => {
    const released: RanAt = {
      ...ran,
      from: 'release',
      rollout: null,
      shares: [{ version: version('1.2.0'), weight: 100 }],
    };

    expect(thenText({ at: AT, items: [released] })).toContain(
      'prod/fraud  1.2.0 100 % as released; git has no record of its rollout\n',
    );
    expect(thenText({ at: AT, items: [] })).toContain('git knows of nothing that ran there');
  });

  it('names the deployment where there are several', () => {
    const item = {
      at: AT,
      environment: prod,
      model: fraud,
      kind: 'release' as const,
      commit: 'c'.repeat(40),
      version: null,
      subject: 's',
    };

    expect(historyText({ items: [item] }, AT, false)).toBe(
      '10:00:00Z  ccccccc  prod/fraud  removed  released  s\n',
    );
    expect(historyText({ items: [item] }, AT, true)).toBe('10:00:00Z  ccccccc  removed  released  s\n');
  });
});

describe('why not', () => {
  const found: WhyNot = {
    environment: prod,
    model: fraud,
    version: version('1.3.0'),
    digest: null,
    wanted: version('1.2.0'),
    weight: 0,
    reasons: [
      {
        kind: 'held',
        what: '1.3.0 is on hold',
        since: AT - 60_000,
        until: null,
        who: 'a person',
        command: 'switchback lift prod/fraud@1.3.0',
      },
    ],
  };

  it('answers the five questions of each reason', () => {
    expect(whyNotText(found, AT)).toBe(
      [
        'prod/fraud@1.3.0 is not there; git asks for 1.2.0',
        '    … 1.3.0 is on hold',
        '      since 09:59:00Z (1 min), no deadline; moved by a person: switchback lift prod/fraud@1.3.0',
        '',
      ].join('\n'),
    );
  });

  it('says when it is there after all', () => {
    expect(whyNotText({ ...found, wanted: version('1.3.0'), weight: 5, reasons: [] }, AT)).toBe(
      'prod/fraud@1.3.0 is there, with 5 % of the requests, and git asks for it\n',
    );
  });
});
