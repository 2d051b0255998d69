import { describe, expect, it } from 'vitest';
import { parseRemoteUrl } from './remote-url.ts';

describe('parseRemoteUrl', () => {
  it.each([
    ['https://github.com/team/models.git', 'https'],
    ['https://git.example.org:8443/team/models', 'https'],
    ['http://127.0.0.1:4180/models.git', 'http'],
    ['http://localhost:4180/models.git', 'http'],
    ['http://[::1]:4180/models.git', 'http'],
    ['ssh://git@example.org:2222/team/models.git', 'ssh'],
    ['git@github.com:team/models.git', 'ssh'],
    ['/srv/git/models.git', 'file'],
    ['file:///srv/git/models.git', 'file'],
  ])('takes %s as %s', (text, kind) => {
    expect(parseRemoteUrl(text, { allowFile: true })).toMatchObject({ kind });
  });

  it.each([
    'ext::sh -c touch% /tmp/x',
    'ext::sh',
    '-uecho',
    '--upload-pack=touch',
    'fd::7',
    'git://example.org/models.git',
    'ftp://example.org/models.git',
    'http://example.org/models.git',
    'http://127.0.0.1.example.org/models.git',
    'https://user:secret-word@example.org/models.git',
    'https://secret-word@example.org/models.git',
    'ssh://git:secret-word@example.org/models.git',
    'https://example.org/models.git\nx',
    'https://example.org/%0amodels.git',
    'https://example.org/%0D%0Amodels.git',
    'https://example.org/models.git?x=1',
    'https://example.org/models.git#x',
    'https://example.org',
    'git@-oProxyCommand=x:models',
    'git@example.org:-models',
    'git@example.org:$(id)',
    'models',
    '../models.git',
    '',
    '/srv/../etc/models.git',
    'file://other.host/srv/models.git',
  ])('refuses %j and does not repeat it', text => {
    const parse = (): unknown => parseRemoteUrl(text, { allowFile: true });

    expect(parse).toThrow(expect.objectContaining({ code: 'E_GIT_REMOTE_URL' }));
    expect(parse).not.toThrow(/secret-word/);
  });

  it.each(['/srv/git/models.git', 'file:///srv/git/models.git'])(
    'refuses the path %s where paths are not allowed',
    text => {
      expect(() => parseRemoteUrl(text, { allowFile: false })).toThrow(
        expect.objectContaining({ code: 'E_GIT_REMOTE_URL' }),
      );
    },
  );
});
