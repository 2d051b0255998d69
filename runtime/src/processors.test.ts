import { availableParallelism } from 'node:os';
import { describe, expect, test } from 'vitest';
import { chooseProcessorUse, findProcessors, parseAllowed, parseQuota, quotaFolders } from './processors.ts';

test.skipIf(process.platform !== 'linux')(
  'what this process has is found on the machine itself',
  async () => {
    const found = await findProcessors();

    expect(found.usable).toBe(availableParallelism());
    expect(found.allowed).toBeGreaterThanOrEqual(found.usable);
    expect(found.machine).toBeGreaterThanOrEqual(found.allowed!);
  },
);

describe('engines load side by side', () => {
  test.each([
    [
      'as many as the machine has processors',
      { machine: 8, allowed: 8, quota: null, usable: 8 },
      [8, 'the machine has 8 processors and nothing bounds their use'],
    ],
    [
      'as many as it may run on',
      { machine: 8, allowed: 2, quota: 4, usable: 2 },
      [2, 'it may run on 2 of 8 processors'],
    ],
    [
      'as many as its control group pays for, also where Node does not see that',
      { machine: 8, allowed: 8, quota: 1.5, usable: 8 },
      [2, 'its control group may use 1.5 of 8 processors'],
    ],
    [
      'one at least',
      { machine: 8, allowed: 8, quota: 0.25, usable: 1 },
      [1, 'its control group may use 0.25 of 8 processors'],
    ],
    [
      'as many as Node says where the system says nothing',
      { machine: 4, allowed: null, quota: null, usable: 4 },
      [4, 'the machine has 4 processors and nothing bounds their use'],
    ],
  ] as const)('%s', (_, found, [loadsAtOnce, why]) => {
    expect(chooseProcessorUse(found)).toMatchObject({
      loadsAtOnce,
      engineThreads: 1,
      engines: 1,
      why: expect.stringContaining(why),
    });
  });
});

test.each([
  ['Name:\tnode\nCpus_allowed:\tff\nCpus_allowed_list:\t0-3,8,10-11\n', 7],
  ['Cpus_allowed_list:\t5\n', 1],
  ['Name:\tnode\n', null],
])('processors that a process may run on are counted in %j', (status, count) => {
  expect(parseAllowed(status)).toBe(count);
});

test.each([
  ['150000 100000\n', 1.5],
  ['max 100000\n', null],
  ['-1\n 100000\n', null],
  ['', null],
])('a quota of %j', (text, processors) => {
  expect(parseQuota(text)).toBe(processors);
});

test('quotas are looked for in the control group of either version, and in those above it', () => {
  expect(quotaFolders('4:memory:/a\n3:cpu,cpuacct:/b\n0::/pods/one\n')).toEqual([
    { version: 1, folder: '/sys/fs/cgroup/cpu' },
    { version: 1, folder: '/sys/fs/cgroup/cpu/b' },
    { version: 2, folder: '/sys/fs/cgroup' },
    { version: 2, folder: '/sys/fs/cgroup/pods' },
    { version: 2, folder: '/sys/fs/cgroup/pods/one' },
  ]);
  expect(quotaFolders('')).toEqual([]);
});
