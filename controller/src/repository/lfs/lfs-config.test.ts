import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lfsConfigProblems } from './lfs-config.ts';
import { LFS_CONFIG } from './tracked.ts';

const found = (text: string, endpoint?: string): (string | number | undefined)[][] =>
  lfsConfigProblems(text, endpoint).map(({ line, field }) => [line, field]);

describe('lfsConfigProblems', () => {
  it('finds nothing wrong with what we scaffold', () => {
    expect(lfsConfigProblems(LFS_CONFIG)).toEqual([]);
  });

  it('warns of a foreign lfs.url with file, line and remedy, and does not repeat it', () => {
    const text = `${LFS_CONFIG}\turl = https://mei:s3cret@evil.example/lfs\n`;

    const problems = lfsConfigProblems(text);

    expect(problems).toEqual([
      {
        code: 'W_LFS_CONFIG',
        severity: 'warning',
        path: '.lfsconfig',
        line: 3,
        field: 'lfs.url',
        message: expect.stringContaining('lfs.url is ignored'),
        remedy: expect.stringContaining('--lfs'),
      },
    ]);
    expect(JSON.stringify(problems)).not.toContain('evil');
  });

  it.each<[string, string, (string | number)[][]]>([
    ['another address for pushes', '[lfs]\npushurl = https://x.example', [[2, 'lfs.pushurl']]],
    [
      'an address of a remote',
      '[remote "origin"]\n\tlfsurl = https://x.example',
      [[2, 'remote.origin.lfsurl']],
    ],
    ['a way to sign on', '[lfs "https://x.example"]\naccess = basic', [[2, 'lfs.https://x.example.access']]],
    ['a program', '[lfs]\nstandalonetransferagent = sh', [[2, 'lfs.standalonetransferagent']]],
    ['capital letters', '[LFS]\nURL=https://x.example', [[2, 'lfs.url']]],
    ['a setting behind its section', '[lfs] url = https://x.example', [[1, 'lfs.url']]],
    [
      'the old form of a section',
      '[remote.origin]\nlfsurl = https://x.example',
      [[2, 'remote.origin.lfsurl']],
    ],
    ['a section within quotes', '[lfs]\nfetchexclude = "# ["\nurl = "https://x.example"', [[3, 'lfs.url']]],
    ['old line ends', '[lfs]\rurl = https://x.example\r', [[2, 'lfs.url']]],
    ['a name with control characters', '[lfs "\u001b[31m"]\naccess = x', [[2, 'lfs.?[31m.access']]],
  ])('warns of %s', (_, text, expected) => {
    expect(found(text)).toEqual(expected);
  });

  it('does not warn of comments', () => {
    expect(found('[lfs]\n# url = https://x.example\n ; url = y\nfetchexclude = * # url = z\n')).toEqual([]);
  });

  it('does not warn of the very address that the operator named', () => {
    const text = '[lfs]\nurl = https://host.example/models.git/info/lfs/\n';

    expect(found(text, 'https://host.example/models.git/info/lfs')).toEqual([]);
    expect(found(text, 'https://host.example/other.git/info/lfs')).toEqual([[2, 'lfs.url']]);
  });

  it('ends quickly for any text, with few words', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'[]"\\=#;\n\r\t .alfsur*'), maxLength: 2000 }),
        text => {
          expect(lfsConfigProblems(text).length).toBeLessThanOrEqual(20);
        },
      ),
    );
    expect(lfsConfigProblems(`[lfs]\n${'url = x\n'.repeat(10_000)}`)).toHaveLength(20);
    for (const text of ['"'.repeat(60_000), `[a "${'\\'.repeat(60_000)}`, `a = ${' '.repeat(60_000)}b`]) {
      const before = performance.now();
      lfsConfigProblems(text);
      expect(performance.now() - before).toBeLessThan(1000);
    }
  });
});
