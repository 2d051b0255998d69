import { expect, test } from 'vitest';
import { ownBytes, residentBytes } from './resident.ts';

const STATUS = [
  'Name:\tnode',
  'VmHWM:\t  140000 kB',
  'VmRSS:\t  132432 kB',
  'RssAnon:\t   55188 kB',
  'RssFile:\t   77236 kB',
  'RssShmem:\t       8 kB',
  'VmData:\t  900000 kB',
];

test('pages of files, which all engines share, are not counted', () => {
  expect(ownBytes(STATUS.join('\n'))).toBe((55188 + 8) * 1024);
});

test('where the kernel does not tell them apart, all that is resident is counted', () => {
  expect(ownBytes(STATUS.filter(line => !line.startsWith('Rss')).join('\n'))).toBe(132432 * 1024);
});

test('of what says nothing of its memory, nothing is known', async () => {
  expect(ownBytes('Name:\tkthreadd\n')).toBeNull();
  expect(await residentBytes(2 ** 30)).toBeNull();
});

test.skipIf(process.platform !== 'linux')('what this very process takes is seen', async () => {
  const before = await residentBytes(process.pid);

  const taken = Buffer.alloc(64 * 2 ** 20, 1);

  expect((await residentBytes(process.pid))! - before!).toBeGreaterThan(taken.length * 0.9);
});
