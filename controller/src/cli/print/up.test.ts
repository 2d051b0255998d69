import type { Status } from '@switchback-ml/schemas';
import { expect, it } from 'vitest';
import { upText } from './up.ts';

const status = { environments: [], problems: [] } as unknown as Status;
const example = (environment: string, port: number, curl: string | null) => ({
  environment,
  address: `http://127.0.0.1:${port}`,
  keyFile: `/state/keys/${environment}`,
  curl,
});
const said = (...examples: ReturnType<typeof example>[]): string =>
  upText(
    { address: 'http://127.0.0.1:4000', unready: null, status, examples },
    { state: ' --state s', now: 0 },
  );

it('says in one line where the API of every model can be read and tried, and which key is asked for', () => {
  const text = said(example('dev', 4001, 'curl …'), example('prod', 4002, 'curl …'));

  expect(text.split('\n').filter(line => line.includes('/docs/'))).toEqual([
    'Read and try the API of every model in prod: open http://127.0.0.1:4002/docs/ in a browser, and give it the key in /state/keys/prod',
  ]);
  expect(text).toContain('In another terminal: switchback status --state s\n');
});

it('names the page of an environment that has something to try, or none', () => {
  expect(said(example('dev', 4001, 'curl …'), example('prod', 4002, null))).toContain(
    'http://127.0.0.1:4001/docs/',
  );
  expect(said(example('prod', 4002, null))).not.toContain('/docs/');
  expect(said()).toContain('No environment is served yet.');
});
