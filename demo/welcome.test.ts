import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import { type WelcomeFacts, welcome } from './welcome.ts';

const run = promisify(execFile);
const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

const environment = (port: number, name: string, models = ['screening', 'wine']) =>
  [
    name,
    {
      address: `http://127.0.0.1:${port}`,
      keyFile: `/checkout/.switchback/keys/${name}`,
      models,
    },
  ] as const;

const facts: WelcomeFacts = {
  environments: new Map([environment(4001, 'dev', ['screening', 'wine', 'mine']), environment(4003, 'prod')]),
  controller: 'http://127.0.0.1:4000',
  remoteUrl: 'http://127.0.0.1:4004/models.git',
  perSecond: 24,
  example: { input: 'features', row: [0.5, 2] },
  directory: '/checkout/.switchback',
  root: '/checkout/',
};

test('one line says where the API of every model can be read and tried, and which key is asked for', () => {
  const lines = welcome(facts).split('\n');

  expect(lines.filter(line => line.includes('/docs/'))).toEqual([
    'Read and try the API of every model in prod: open http://127.0.0.1:4003/docs/ in a browser, and give it the key in /checkout/.switchback/keys/prod',
  ]);
});

test('every address stands at the end of a line of its own, so that it can be copied', () => {
  const addresses = [...welcome(facts).matchAll(/^ {2}(\S+) +(http:\S+)$/gm)].map(([, ...words]) => words);

  expect(addresses).toEqual([
    ['dev', 'http://127.0.0.1:4001'],
    ['prod', 'http://127.0.0.1:4003'],
    ['controller', 'http://127.0.0.1:4000'],
    ['repository', 'http://127.0.0.1:4004/models.git'],
  ]);
});

test('models are counted once, in however many environments they are', () => {
  expect(welcome(facts)).toContain('Switchback serves 3 models in 2 environments. Each gets 24 requests');
  expect(welcome({ ...facts, environments: new Map([environment(1, 'dev', ['one'])]) })).toContain(
    'Switchback serves 1 model in 1 environment.',
  );
});

test('without traffic it says what does not happen then', () => {
  const text = welcome({ ...facts, perSecond: null });

  expect(text).toContain('No requests are sent');
  expect(text).not.toContain('requests a second');
});

test('the curl that is printed holds no key: a shell reads it from its file, wherever that is', async () => {
  const folder = await mkdtemp(join(tmpdir(), "switchback it's a welcome-"));
  folders.push(folder);
  const keyFile = join(folder, 'prod');
  await writeFile(keyFile, 'sbi_secret\n');
  const prod = { address: 'http://127.0.0.1:4003', keyFile, models: ['screening'] };
  const text = welcome({ ...facts, environments: new Map([['prod', prod]]), directory: folder });
  const [curl = ''] = /curl -s [\s\S]+?\}'/.exec(text) ?? [];

  const { stdout } = await run('sh', ['-c', `curl() { printf '%s\\n' "$@"; }\n${curl}`]);

  expect(text).not.toContain('sbi_secret');
  expect(stdout.trim().split('\n')).toEqual([
    '-s',
    'http://127.0.0.1:4003/v2/models/screening/infer',
    '-H',
    'Authorization: Bearer sbi_secret',
    '-H',
    'Content-Type: application/json',
    '-d',
    '{"inputs":[{"name":"features","datatype":"FP32","shape":[1,2],"data":[0.5,2]}]}',
  ]);
});

test('commands name the state directory where it is not the one that they take by themselves', () => {
  const verbs = (directory: string): string[] =>
    [...welcome({ ...facts, directory }).matchAll(/--state (\S+)/g)].map(([, folder]) => folder ?? '');

  expect(verbs('/checkout/.switchback')).toEqual([]);
  expect(verbs('/checkout/other')).toEqual(Array(4).fill('other'));
  expect(verbs('/elsewhere/state')).toEqual(Array(4).fill('/elsewhere/state'));
});

test('without prod, or without the model of the example there, nothing is printed that could not be answered', () => {
  const noProd = welcome({ ...facts, environments: new Map([environment(4001, 'dev')]) });
  const noExample = welcome({ ...facts, example: null });

  expect(noProd).not.toContain('/docs/');
  expect(noExample).toContain('http://127.0.0.1:4003/docs/');
  expect([noProd, noExample].filter(text => text.includes('curl'))).toEqual([]);
});
