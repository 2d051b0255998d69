import { describe, expect, test } from 'vitest';
import { ENVIRONMENT, MODEL, meet, RELEASE, SERVING, VERSION, WELL } from './hostile.fixture.ts';
import { isSecretName, secretIn } from './secret.ts';

const HEAD = 'apiVersion: switchback/v1alpha1\n';
const letters = (count: number): string => 'aB3dE5gH7jK9'.repeat(20).slice(0, count);

/** Put together here, so that no scanner takes this file for a leak. */
const SECRETS: Record<string, string> = {
  'a GitHub token': `ghp_${letters(36)}`,
  'a GitHub token of the finer kind': `github_pat_${letters(60)}`,
  'a GitLab token': `glpat-${letters(20)}`,
  'an AWS access key': `AKIA${'ABCDEFGH23456722'}`,
  'an AWS secret key': `aws_secret_access_key=${letters(40)}`,
  'an Azure storage key': `AccountKey=${letters(60)}==`,
  'a Google API key': `AIza${letters(35)}`,
  'a Slack token': `xoxb-${letters(20)}`,
  'a Slack webhook': `https://hooks.slack.com/services/T${'ABC123'}/B1/${letters(20)}`,
  'a Stripe key': `sk_live_${letters(24)}`,
  'an npm token': `npm_${letters(36)}`,
  'a PyPI token': `pypi-${letters(60)}`,
  'a Hugging Face token': `hf_${letters(34)}`,
  'an API key': `sk-${letters(40)}`,
  'a JSON web token': `eyJ${letters(20)}.eyJ${letters(20)}.${letters(20)}`,
  'a token of ours': `sbo_${letters(32)}`,
  'an address with a password': `postgres://ml:${letters(12)}@db.example/models`,
};
const PRIVATE_KEY = `-----BEGIN ${'RSA '}PRIVATE KEY-----\n  ${letters(64)}\n  -----END`;

describe('a secret in a manifest', () => {
  test.each(Object.entries(SECRETS))(
    '%s is refused, told by its line, and shown nowhere',
    async (_, secret) => {
      const { problems, state, served } = await meet({
        [MODEL]: `${HEAD}kind: Model\ndescription: "see ${secret}"\n`,
      });

      expect(problems).toMatchObject([
        { code: 'E_MANIFEST_SECRET', path: MODEL, line: 3, remedy: expect.stringContaining('revoke') },
      ]);
      expect(everythingIn({ problems, state })).not.toContain(secret.slice(-16));
      expect(served.after).toEqual(served.before);
    },
  );

  test.each<[string, string, string]>([
    ['in a comment', RELEASE, `${HEAD}kind: Release\nversion: "1.3.0" # ${SECRETS['a GitHub token']}\n`],
    ['as a version', RELEASE, `${HEAD}kind: Release\nversion: ${SECRETS['a GitHub token']}\n`],
    ['as a key', SERVING, `${HEAD}kind: Serving\n${SECRETS['a GitHub token']}: 1\n`],
    ['as a tag', SERVING, `${HEAD}kind: Serving\nlimits: !${SECRETS['a GitHub token']} {}\n`],
    ['as an alias', SERVING, `${HEAD}kind: Serving\nlimits: *${SECRETS['a GitHub token']}\n`],
    ['as a duration', SERVING, `${HEAD}kind: Serving\nlimits: { timeout: ${SECRETS['a GitHub token']} }\n`],
    ['in YAML that is not valid', ENVIRONMENT, `kind: [${SECRETS['a GitHub token']}\n  }: "\n`],
    ['in an escape', MODEL, `${HEAD}kind: Model\ndescription: "\\x67hp_${letters(36)}"\n`],
    ['over two lines', MODEL, `${HEAD}kind: Model\ndescription: "ghp_${letters(20)}\\\n  ${letters(20)}"\n`],
    ['as a private key', MODEL, `${HEAD}kind: Model\ndescription: |\n  ${PRIVATE_KEY}\n`],
    ['by the name of its field', VERSION, `${WELL[VERSION]}parameters: { db_password: "${letters(9)}" }\n`],
    ['by another name', VERSION, `${WELL[VERSION]}parameters: { trackingApiKey: "${letters(9)}" }\n`],
  ])('%s is refused and shown nowhere', async (_, path, text) => {
    const { problems, state, served } = await meet({ [path]: text });

    expect(problems[0]).toMatchObject({ code: 'E_MANIFEST_SECRET', path, line: expect.any(Number) });
    expect(everythingIn({ problems, state })).not.toContain(letters(9));
    expect(served.after).toEqual(served.before);
  });
});

describe('what is none', () => {
  test.each([
    'sha256:4be1000000000000000000000000000000000000000000000000000000000007',
    '3f1c9ab7c1b0f3a2d4e5f60718293a4b5c6d7e8f',
    'https://mlflow.example/runs/0af7651916cd43dd8448eb211c80319c',
    'https://git.example:8443/acme/train',
    'git@host.example:acme/train.git',
    'mailto:mei@example.org',
    'sk-learn-pipeline-with-a-name-that-is-long-enough',
    'a ratio of 3:1 @ noon, see //host/share',
    'the token bucket, the secret of good models, a password-free login',
    'npm_config_registry',
  ])('%s', text => {
    expect(secretIn(text)).toBeNull();
  });

  test.each([
    'tokenizer',
    'max_tokens',
    'pad_token',
    'token',
    'eos_token',
    'key',
    'public_key_size',
    'n_estimators',
    'secretary',
  ])('a field called %s', name => {
    expect(isSecretName(name)).toBe(false);
  });

  test('the whole example, and every number', () => {
    expect(isSecretName('password')).toBe(true);
    expect(Object.values(WELL).filter(text => text !== null && secretIn(text))).toEqual([]);
  });
});

function everythingIn(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    member instanceof Map || member instanceof Set ? [...member] : member,
  );
}
