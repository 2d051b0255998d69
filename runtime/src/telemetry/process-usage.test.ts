import { describe, expect, test } from 'vitest';
import { parseProcessUsage, readProcessUsage } from './process-usage.ts';

const FIELDS = '1 2 2 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 11 0 98765 1000 500';
const STATUS = 'Name:\tx\nVmRSS:\t    2048 kB\nThreads:\t11\n';

describe('what the kernel says of a process', () => {
  test.each(['node', 'a b', 'x) S 9 (y', '))))', ''])('is read past the name %j', name => {
    const usage = parseProcessUsage(`4711 (${name}) S ${FIELDS}`, STATUS);

    expect(usage).toEqual({ cpuSeconds: 3, residentBytes: 2048 * 1024, startedTicks: '98765' });
  });

  test.each([
    ['nothing', '', ''],
    ['a line that is cut off', '4711 (node) S 1 2 2', STATUS],
    ['no memory', `4711 (node) Z ${FIELDS}`, 'Name:\tx\n'],
  ])('is not known from %s', (_, stat, status) => {
    expect(parseProcessUsage(stat, status)).toBeNull();
  });
});

test.skipIf(process.platform !== 'linux')(
  'our own process is as large and as busy as Node says',
  async () => {
    const usage = await readProcessUsage(process.pid);

    const { user, system } = process.cpuUsage();
    expect(usage?.cpuSeconds).toBeGreaterThan(0);
    expect(Math.abs(usage!.cpuSeconds - (user + system) / 1e6)).toBeLessThan(1);
  },
);

test('a process that is not there is not known', async () => {
  expect(await readProcessUsage(2 ** 22 + 1)).toBeNull();
});
