import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkEdits, commitParts } from './new-commit.ts';

const author = { name: 'Ada', email: 'ada@example.org' };

describe('commitParts', () => {
  it('cuts what could end a line or a field, for any name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (name, email) => {
        const made = { name: `x${name}`, email: `x${email}` };
        const parts = commitParts({ message: 'm', author: made, at: 0 });
        // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is the point
        expect(parts.name + parts.email).not.toMatch(/[\u0000-\u001f<>]/);
      }),
    );
  });

  it.each([
    ['no message', { message: ' \n ', author, at: 0 }],
    ['no name', { message: 'm', author: { ...author, name: '<>' }, at: 0 }],
    ['no email', { message: 'm', author: { ...author, email: '\n' }, at: 0 }],
    ['a time before 1970', { message: 'm', author, at: -1 }],
  ])('refuses a commit with %s', (_, commit) => {
    expect(() => commitParts(commit)).toThrow(expect.objectContaining({ code: 'E_GIT_FAILED' }));
  });

  it('has whole seconds and one line end', () => {
    expect(commitParts({ message: '\nm\r\n\n\n', author, at: 1_999 })).toMatchObject({
      message: 'm\n',
      seconds: 1,
    });
  });
});

describe('checkEdits', () => {
  it('takes the paths that we write', () => {
    const paths = [
      'environments/prod/fraud/release.yaml',
      '.gitattributes',
      '.lfsconfig',
      'models/ü/.gitkeep',
      'a/git/b',
    ];
    expect(() => checkEdits(new Map(paths.map(path => [path, ''])))).not.toThrow();
  });
});
