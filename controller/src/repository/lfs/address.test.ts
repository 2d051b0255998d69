import { describe, expect, it } from 'vitest';
import { SwitchbackError } from '../../error.ts';
import { parseRemoteUrl } from '../remote-url.ts';
import { lfsAddresses, lfsEndpoint } from './address.ts';

function codeOf(act: () => unknown): string {
  try {
    act();
    return 'accepted';
  } catch (error) {
    return error instanceof SwitchbackError ? error.code : String(error);
  }
}

describe('lfsAddresses', () => {
  it.each([
    ['plain http to another machine', 'http://lfs.example/models.git/info/lfs'],
    ['another protocol', 'file:///srv/lfs'],
    ['credentials', 'https://ada:secret@lfs.example/models.git/info/lfs'],
    ['a user name', 'https://ada@lfs.example/models.git/info/lfs'],
    ['words', 'the usual place'],
  ])('refuses %s for a server without repeating it', (_, url) => {
    expect(codeOf(() => lfsAddresses(url, []))).toBe('E_CONFIG');
    expect(() => lfsAddresses(url, [])).not.toThrow(/secret|ada|usual/);
  });

  it.each([
    ['the same host', 'https://lfs.example/objects/1', 'accepted'],
    ['a path alone', '/objects/1', 'accepted'],
    ['a host that is allowed', 'https://objects.example/1', 'accepted'],
    ['another port of an allowed host', 'https://objects.example:8443/1', 'E_LFS_OBJECT'],
    ['another host', 'https://elsewhere.example/1', 'E_LFS_OBJECT'],
    ['a host below ours', 'https://x.lfs.example/1', 'E_LFS_OBJECT'],
    ['our host without protection', 'http://lfs.example/1', 'E_LFS_OBJECT'],
    ['this machine', 'http://127.0.0.1/1', 'E_LFS_OBJECT'],
    ['the metadata service', 'http://169.254.169.254/latest', 'E_LFS_OBJECT'],
    ['a file', 'file:///etc/passwd', 'E_LFS_OBJECT'],
    ['a command', 'ext::sh -c touch% x', 'E_LFS_OBJECT'],
    ['credentials', 'https://ada:secret@lfs.example/1', 'E_LFS_OBJECT'],
  ])('treats an address with %s as %s → %s', (_, href, outcome) => {
    const addresses = lfsAddresses('https://lfs.example/models.git/info/lfs', ['objects.example']);

    expect(codeOf(() => addresses.accept(href, addresses.base))).toBe(outcome);
  });

  it('follows GitHub to its own object hosts and nobody else there', () => {
    const objects = 'https://github-cloud.githubusercontent.com/1';

    expect(codeOf(() => lfsAddresses('https://github.com/a/b.git/info/lfs', []).accept(objects))).toBe(
      'accepted',
    );
    expect(codeOf(() => lfsAddresses('https://lfs.example/info/lfs', []).accept(objects))).toBe(
      'E_LFS_OBJECT',
    );
  });

  it('takes no other port, protocol or host for the operator’s own server', () => {
    const { isOurs } = lfsAddresses('http://127.0.0.1:4000/models.git/info/lfs', []);

    expect(isOurs(new URL('http://127.0.0.1:4000/x'))).toBe(true);
    expect(isOurs(new URL('http://127.0.0.1:4001/x'))).toBe(false);
    expect(isOurs(new URL('https://127.0.0.1:4000/x'))).toBe(false);
    expect(isOurs(new URL('http://localhost:4000/x'))).toBe(false);
  });
});

describe('lfsEndpoint', () => {
  it.each([
    ['https://host/team/models.git', 'https://host/team/models.git/info/lfs'],
    ['https://host/team/models', 'https://host/team/models.git/info/lfs'],
    ['https://host/team/models/', 'https://host/team/models.git/info/lfs'],
    ['http://127.0.0.1:4000/models.git', 'http://127.0.0.1:4000/models.git/info/lfs'],
    ['git@host:team/models.git', null],
    ['/srv/models.git', null],
  ])('finds LFS of %s at %s', (url, endpoint) => {
    expect(lfsEndpoint(parseRemoteUrl(url, { allowFile: true }))).toBe(endpoint);
  });
});
