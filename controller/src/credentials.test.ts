import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { credentialsFor } from './credentials.ts';
import { gitRepository } from './repository/git-cli/index.ts';
import { parseRemoteUrl } from './repository/remote-url.ts';

const remote = (url: string) => parseRemoteUrl(url, { allowFile: true });

test('a token goes to the host of the repository alone, and never into an address', () => {
  const { environment, authorization } = credentialsFor(remote('https://example.org/team/models.git'), {
    SWITCHBACK_GIT_TOKEN: 's3cret',
  });

  expect(environment).toEqual({
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'http.https://example.org/.extraHeader',
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${Buffer.from('x-access-token:s3cret').toString('base64')}`,
  });
  expect(authorization).toBe(`Basic ${Buffer.from('x-access-token:s3cret').toString('base64')}`);
});

test('without a token nothing is said; over ssh the account of the controller speaks', () => {
  expect(credentialsFor(remote('https://example.org/models.git'), {})).toEqual({ environment: {} });
  expect(
    credentialsFor(remote('git@example.org:models.git'), { HOME: '/home/mei', SSH_AUTH_SOCK: '/run/agent' }),
  ).toEqual({
    environment: { HOME: '/home/mei', SSH_AUTH_SOCK: '/run/agent' },
  });
});

test('a token with a line break, which could be a second header, is refused', () => {
  expect(() =>
    credentialsFor(remote('https://example.org/models.git'), { SWITCHBACK_GIT_TOKEN: 'a\nb' }),
  ).toThrow('SWITCHBACK_GIT_TOKEN');
});

test('git really sends it', async () => {
  const seen: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.writeHead(401, { 'www-authenticate': 'Basic' }).end();
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const url = `http://127.0.0.1:${port}/models.git`;
  const directory = mkdtempSync(join(tmpdir(), 'switchback-credentials-'));
  const { environment } = credentialsFor(remote(url), {
    SWITCHBACK_GIT_TOKEN: 's3cret',
    SWITCHBACK_GIT_USERNAME: 'bot',
  });
  try {
    await using repository = await gitRepository({ url, directory, allowFile: false, environment });

    const failure = await repository.fetch('refs/heads/main', AbortSignal.timeout(20_000)).catch(String);

    expect(seen).toContain(`Basic ${Buffer.from('bot:s3cret').toString('base64')}`);
    expect(failure).not.toContain('s3cret');
    expect(execFileSync('git', ['config', '--list'], { cwd: directory, encoding: 'utf8' })).not.toContain(
      's3cret',
    );
  } finally {
    server.close();
    rmSync(directory, { recursive: true });
  }
});
