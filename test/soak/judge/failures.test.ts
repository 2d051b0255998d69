import { describe, expect, test } from 'vitest';
import { blame, type Excuse, type Failure } from './failures.ts';

const isBad = (_: string, version: string): boolean => version === 'bad';
const refused: Failure = {
  environment: 'prod',
  model: 'wine',
  version: null,
  status: 0,
  failure: 'connect ECONNREFUSED',
  sentAt: 1500,
  atMs: 1510,
};
const killed: Excuse = {
  kind: 'front killed',
  environment: 'prod',
  model: 'wine',
  fromMs: 1000,
  untilMs: 2000,
};
const stopped: Excuse = { ...killed, kind: 'engine stopped' };

describe('a failed request', () => {
  test('counts against a good version where nothing explains it', () => {
    expect(blame(refused, [], isBad)).toBe('good version');
    expect(blame({ ...refused, version: '1.0.0', status: 500 }, [], isBad)).toBe('good version');
  });

  test('is a bad version’s where the answer names one', () => {
    expect(blame({ ...refused, version: 'bad', status: 500 }, [killed], isBad)).toBe('bad version');
  });

  test('is excused by a killed front: aboard, while it was away, and under way when it was back', () => {
    expect(blame({ ...refused, sentAt: 990, atMs: 1001 }, [killed], isBad)).toBe('front killed');
    expect(blame(refused, [killed], isBad)).toBe('front killed');
    expect(blame({ ...refused, sentAt: 1990, atMs: 2500 }, [killed], isBad)).toBe('front killed');
    expect(blame({ ...refused, sentAt: 9e9, atMs: 9e9 }, [{ ...killed, untilMs: null }], isBad)).toBe(
      'front killed',
    );
  });

  test.each([
    ['before it', { sentAt: 900, atMs: 999 }],
    ['after it', { sentAt: 2001, atMs: 2003 }],
    ['in another environment', { environment: 'dev' }],
    ['of another model', { model: 'digits' }],
  ])('is not excused by a front killed: %s', (_, other) => {
    expect(blame({ ...refused, ...other }, [killed], isBad)).toBe('good version');
  });

  test('is excused by a stopped engine only when its own time was up', () => {
    expect(blame({ ...refused, status: 504, version: '1.0.0' }, [stopped], isBad)).toBe('engine stopped');
    expect(blame({ ...refused, status: 503, version: '1.0.0' }, [stopped], isBad)).toBe('good version');
  });
});
