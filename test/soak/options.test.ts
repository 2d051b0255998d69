import { describe, expect, test } from 'vitest';
import { readOptions } from './options.ts';

const now = new Date('2026-03-01T12:30:05.123Z');
const read = (...args: string[]) => readOptions(args, '/root', now);

describe('options of a soak', () => {
  test('are two hours with something every three minutes where nothing is said', () => {
    expect(read()).toEqual({
      forMs: 7_200_000,
      everyMs: 180_000,
      perSecond: 30,
      seed: 1,
      out: '/root/.cache/soak/2026-03-01T12-30-05Z',
      isJson: false,
    });
  });

  test('are what was said', () => {
    const args = [
      '--for',
      '3m',
      '--every',
      '30s',
      '--per-second',
      '60',
      '--seed',
      '9',
      '--out',
      '/there',
      '--json',
    ];

    expect(read(...args)).toEqual({
      forMs: 180_000,
      everyMs: 30_000,
      perSecond: 60,
      seed: 9,
      out: '/there',
      isJson: true,
    });
  });

  test.each([
    ['--for', 'two hours'],
    ['--every', '0s'],
    ['--per-second', '0'],
    ['--per-second', '1.5'],
    ['--seed', '-1'],
  ])('%s is refused as %s, by name', (name, text) => {
    expect(() => read(`${name}=${text}`)).toThrow(`${name}: must be`);
  });

  test('are refused where nobody knows them', () => {
    expect(() => read('--fro', '3m')).toThrow('--fro');
  });
});
