import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const run = promisify(execFile);
const readme = readFileSync('README.md', 'utf8');
const scripts = Object.keys(JSON.parse(readFileSync('package.json', 'utf8')).scripts);

let directory: string;
let started: ChildProcess;
let printed = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'switchback-readme-'));
  started = spawn('npm', ['start', '--silent', '--', '--directory', directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  await new Promise<void>((resolve, reject) => {
    started.on('exit', code => reject(new Error(`npm start ended with ${code}: ${printed}`)));
    started.stdout?.on('data', chunk => {
      printed += chunk;
      if (printed.includes('Ctrl-C')) resolve();
    });
  });
});

afterAll(async () => {
  if (started.exitCode === null && started.signalCode === null) {
    const ended = new Promise(resolve => started.once('exit', resolve));
    pressCtrlC();
    await ended;
  }
  await rm(directory, { recursive: true, force: true });
});

test('every npm command that the README names exists', () => {
  const named = [...readme.matchAll(/npm (?:run (?:--silent )?)?([a-z:]+)/g)].map(([, name]) => name ?? '');

  expect(named.length).toBeGreaterThan(5);
  expect(named.filter(name => !scripts.includes(name) && name !== 'and')).toEqual([]);
});

test('every verb that the README names is one that the command line knows', async () => {
  const { stdout: help } = await run('node', ['scripts/switchback.mjs', '--help']);
  const verbs = [...(readme.split('| verb |')[1] ?? '').matchAll(/`([a-z-]+)`/g)].map(
    ([, verb]) => verb ?? '',
  );

  expect(verbs.length).toBeGreaterThan(8);
  expect(verbs.filter(verb => !new RegExp(`^  ${verb}\\b`, 'm').test(help))).toEqual([]);
});

test('npm start prints a curl that answers a prediction when it is pasted', async () => {
  const [curl] = /curl -s [\s\S]+?\}'/.exec(printed) ?? [];

  const { stdout } = await run('sh', ['-c', curl ?? 'false']);

  const [score] = JSON.parse(stdout).outputs[0].data;
  expect(score).toBeGreaterThanOrEqual(0);
  expect(score).toBeLessThanOrEqual(1);
});

test('npm start names the page where every model can be tried, and the key that it asks for', async () => {
  const [, page = '', keyFile = ''] = /^.* (http:\S+\/docs\/) .* (\/.+)$/m.exec(printed) ?? [];
  const key = readFileSync(keyFile, 'utf8').trim();

  const shown = await fetch(page);
  const described = await fetch(new URL('../v2/models/wine/openapi.json', page), {
    headers: { authorization: `Bearer ${key}` },
  });

  expect([shown.status, shown.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  expect(await described.json()).toMatchObject({ info: { title: 'wine' } });
});

test('what the inference page says to type at npm start is answered as it says', async () => {
  const text = readFileSync('docs/reference/inference.md', 'utf8');
  const [look = '', ask = ''] = [...text.matchAll(/```sh\n([\s\S]+?)```/g)].map(([, block]) => block ?? '');
  const [, prod = ''] = /^ {2}prod +(\S+)$/m.exec(printed) ?? [];
  const here = look.replace(/http:\S+/, prod).replace('.switchback', directory);
  const [, answer] = /^# (\{.+\})$/m.exec(ask) ?? [];

  const { stdout } = await run('sh', ['-ec', `${here}\n${ask}`]);

  expect(stdout).toBe(`{"models":["digits","screening","second-opinion","triage","wine"]}${answer}`);
});

test('status says the same addresses, and every model in every environment', async () => {
  const { stdout } = await run('node', ['scripts/switchback.mjs', 'status', '--state', directory]);

  for (const [address] of printed.matchAll(/http:\/\/127\.0\.0\.1:\d+(?=\n)/g))
    expect(stdout).toContain(address);
  expect(stdout.match(/1\.0\.0 100 %/g)).toHaveLength(15);
});

test('Ctrl-C ends everything', async () => {
  const { environments } = await status();
  const ended = new Promise(resolve => started.once('exit', resolve));

  pressCtrlC();
  await ended;

  expect(existsSync(join(directory, 'controller.json'))).toBe(false);
  for (const { address } of environments) await expect(fetch(`${address}/healthz`)).rejects.toThrow();
});

/** A terminal tells the whole group. */
function pressCtrlC(): void {
  process.kill(-(started.pid ?? Number.NaN), 'SIGINT');
}

async function status(): Promise<{ environments: { address: string }[] }> {
  const { stdout } = await run('node', [
    'scripts/switchback.mjs',
    'status',
    '-o',
    'json',
    '--state',
    directory,
  ]);
  return JSON.parse(stdout);
}
