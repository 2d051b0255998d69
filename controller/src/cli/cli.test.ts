import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Status } from '@switchback-ml/schemas';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  CANDIDATES,
  type ModelRepository,
  modelRepositories,
  personOf,
} from '../command/model-repository.fixture.ts';
import { runCommandLine } from './run.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

let seeds: Awaited<ReturnType<typeof modelRepositories>>;
let repository: ModelRepository;
let server: Server;
beforeAll(async () => {
  seeds = await modelRepositories();
  repository = await seeds.make();
});
afterAll(async () => {
  server?.closeAllConnections();
  server?.close();
  await repository[Symbol.asyncDispose]();
  await seeds[Symbol.asyncDispose]();
});

interface Ran {
  code: number | null;
  out: string;
  err: string;
}

/** The command as a process of its own, called from the person's folder. */
function run(...args: string[]): Promise<Ran> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: repository.folder,
    env: { PATH: process.env['PATH'], ...personOf(repository.folder) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  return new Promise(resolve => child.on('close', code => resolve({ code, out, err })));
}

/** The same without a process, where only words and codes matter. */
async function here(...args: string[]): Promise<Ran> {
  let [out, err] = ['', ''];
  const code = await runCommandLine(args, {
    out: text => {
      out += text;
    },
    err: text => {
      err += text;
    },
    directory: repository.folder,
    environment: personOf(repository.folder),
    signal: new AbortController().signal,
    now: () => 0,
  });
  return { code, out, err };
}

/** A controller that has a status and nothing else. */
async function startController(verdict: 'healthy' | 'degraded'): Promise<void> {
  const status = Status.parse({
    at: 1,
    address: 'http://127.0.0.1:1',
    repository: { url: '/m.git', branch: 'main', commit: null, subject: null, ageMs: 0, failure: null },
    environments: [
      {
        name: 'prod',
        mode: 'act',
        promotesFrom: [],
        address: null,
        deployments: [
          {
            model: 'screening',
            version: '1.0.0',
            phase: 'steady',
            backends: [],
            verdict: { verdict, reason: 'r', findings: [], requests: 1 },
            paused: false,
            waits: [],
            conditions: [],
          },
        ],
      },
    ],
    operations: [],
    problems: [],
  });
  server = createServer((_, response) => response.end(JSON.stringify(status)));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const state = join(repository.folder, `state-${verdict}`);
  mkdirSync(state);
  writeFileSync(join(state, 'operator-token'), 'token');
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  writeFileSync(
    join(state, 'controller.json'),
    JSON.stringify({ address, pid: 1, repository: '/m.git', branch: 'main', root: '', startedAt: 1 }),
  );
}

describe('the command line', () => {
  it('registers, promotes and rolls back, and says what it did, what git says, and how to undo it', async () => {
    const better = join(CANDIDATES, 'better');
    const registered = await run(
      ...['register', join(better, 'model.onnx'), '--name', 'screening', '--version', '1.1.0'],
      ...[
        '--samples',
        join(better, 'samples.csv'),
        '--facts',
        join(better, 'facts.json'),
        '--repo',
        'models.git',
      ],
    );
    const promoted = await run(
      'promote',
      'screening@1.1.0',
      'prod',
      '--repo',
      'models.git',
      '--reason',
      'better',
    );
    const rolledBack = await run('rollback', 'prod/screening', '--repo', 'models.git', '-o', 'json');

    expect(registered).toMatchObject({
      code: 0,
      out: expect.stringContaining('screening@1.1.0 is registered'),
    });
    const [, promotion] = repository.git('log', '--format=%h', '--abbrev=12', 'main').split('\n');
    expect(promoted.code).toBe(0);
    expect(promoted.out).toContain(
      `prod/screening goes from 1.0.0 to 1.1.0.\n  git:  ${promotion} prod/screening: promote 1.1.0 (better) (main)\n  undo: switchback rollback prod/screening\n`,
    );
    expect(rolledBack.code).toBe(0);
    expect(JSON.parse(rolledBack.out)).toMatchObject({
      git: { branch: 'main', subject: expect.stringContaining('back to 1.0.0') },
    });
  });

  it('ends with 2 and a sentence with its code when something is wrong', async () => {
    const held = await run('promote', 'screening@9.9.9', 'prod', '--repo', 'models.git');

    expect(held).toMatchObject({ code: 2, out: '' });
    // On a slow machine it says first what it waits for.
    expect(held.err).toMatch(
      /^(?:… .*\n)*switchback: There is no version 9\.9\.9 of screening\. .*\[E_NOT_FOUND\]\n$/,
    );
  });

  it('shows how to start a controller when none runs', async () => {
    const status = await here('status');

    expect(status.code).toBe(2);
    expect(status.err).toMatch(/No controller runs on .*\.switchback\. Start one: switchback up --repo/);
  });

  it('prints the status, and ends with 1 when a verdict is bad', async () => {
    await startController('degraded');
    const bad = await run('status', '--state', 'state-degraded');
    const json = await here('status', '--state', 'state-degraded', '-o', 'json');
    server.close();
    await startController('healthy');
    const good = await here('status', '--state', 'state-healthy');

    expect(bad).toMatchObject({
      code: 1,
      out: expect.stringMatching(/screening\s+1\.0\.0 not served yet\s+steady\s+degraded: r/),
    });
    expect(Status.parse(JSON.parse(json.out)).environments).toHaveLength(1);
    expect(good.code).toBe(0);
  });

  it('validates a folder: 0 when well, 1 with file and line when not, 2 when there is none', async () => {
    const good = join(repository.folder, 'good');
    mkdirSync(join(good, 'environments', 'dev'), { recursive: true });
    const manifest =
      'apiVersion: switchback/v1alpha1\nkind: Environment\ntarget: { local: {} }\npromotion: { by: newest }\n';
    writeFileSync(join(good, 'environments/dev/environment.yaml'), manifest);
    expect(await here('validate', '--repo', 'good')).toMatchObject({
      code: 0,
      out: expect.stringContaining('0 errors'),
    });

    writeFileSync(join(good, 'environments/dev/environment.yaml'), `${manifest}mood: act\n`);
    const bad = await here('validate', '--repo', 'good');

    expect(bad.code).toBe(1);
    expect(bad.out).toContain('environments/dev/environment.yaml:5: error: mood: is not a field');
    const nowhere = await here('validate', '--repo', 'nowhere');
    expect(nowhere).toMatchObject({ code: 2, err: expect.stringContaining('[E_NOT_FOUND]') });
  });

  it('takes a wrong call for an error, and help for none', async () => {
    expect(await here('rolback', 'prod/screening')).toMatchObject({
      code: 2,
      err: expect.stringContaining('rollback'),
    });
    expect(await here('hold', 'prod/screening@1.0.0')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--reason'),
    });
    expect(await here('promote', 'screening', 'prod')).toMatchObject({
      code: 2,
      err: expect.stringContaining('screening@1.1.0'),
    });
    expect((await here()).err).toMatch(/^Usage: switchback/);
    const help = await here('--help');
    expect(help.code).toBe(0);
    for (const verb of [
      'up',
      'status',
      'register',
      'promote',
      'rollback',
      'hold',
      'lift',
      'freeze',
      'unfreeze',
      'pause',
      'resume',
      'abort',
      'history',
      'events',
      'validate',
    ])
      expect(help.out).toMatch(new RegExp(`^  ${verb} `, 'm'));
  });

  it.each<[string, string[], string]>([
    [
      'a folder where none is taken, with the one way to name it',
      ['validate', 'models'],
      '"models" is more than validate takes. A model repository is named by --repo: switchback validate --repo models',
    ],
    [
      'one beside what is taken, too',
      ['get', 'prod/screening', 'models.git'],
      '"models.git" is more than get takes. A model repository is named by --repo: switchback get prod/screening --repo models.git',
    ],
    [
      'a word where no repository is named',
      ['status', 'prod'],
      '"prod" is more than status takes. See: switchback help status',
    ],
    [
      'an option of another name',
      ['validate', '--rep', '.'],
      "Unknown option '--rep' (Did you mean --repo?) See: switchback help validate",
    ],
    [
      'an option without its value',
      ['validate', '--repo'],
      "Option '--repo <folder>' argument missing. See: switchback help validate",
    ],
    [
      'a verb that is none',
      ['valdate'],
      "Unknown command 'valdate' (Did you mean validate?) See: switchback help",
    ],
  ])('says of %s what to write, in a sentence with its code', async (_, args, sentence) => {
    expect(await here(...args)).toEqual({ code: 2, out: '', err: `switchback: ${sentence} [E_USAGE]\n` });
  });

  it('says its version, and leaves the word to the model where a verb takes it', async () => {
    expect(await here('--version')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
    expect((await here('register', 'none.onnx', '--version', '1.1.0')).err).toContain("option '--name");
  });

  it('reads history, manifests and settings from git alone, and says so beside the answer', async () => {
    const repo = ['--repo', 'models.git'];
    const then = await here('history', 'prod/screening', '--at', 'now', ...repo);
    const json = await here('history', 'prod', '--json', ...repo);
    const effective = await here('get', 'prod/screening', '--effective', ...repo);
    const documents = await here('get', 'prod/screening', ...repo);

    expect(then).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^at \d{4}-.*Z\n\nprod\/screening {2}1\./),
    });
    expect(then.err).toContain('(from git: main at ');
    expect(JSON.parse(json.out)).toMatchObject({ source: { kind: 'git', branch: 'main' } });
    // On a slow machine it says first what it waits for.
    expect(json.err).toMatch(/^(?:… .*\n)?$/);
    expect(effective.out).toMatch(/^limits\.memory +512Mi +models\/screening\/serving\.yaml:\d+$/m);
    expect(documents.out).toContain('# environments/prod/screening/release.yaml\napiVersion: ');
  });

  it('prints no more than text of a log that wants more, and its lines as JSON', async () => {
    const state = join(repository.folder, 'state-logs');
    mkdirSync(state);
    const line = {
      level: 'warn',
      time: '2026-11-23T10:00:00.000Z',
      subject: 'prod/screening',
      reason: '\u001b[2J',
      msg: 'bad',
    };
    writeFileSync(join(state, 'controller.log'), `${JSON.stringify(line)}\n`);

    const text = await here('logs', 'prod/screening', '--state', 'state-logs');
    const json = await here('logs', 'controller', '--json', '--state', 'state-logs');

    expect(text.out).toBe(
      '2026-11-23 10:00:00.000Z warn  controller bad  subject=prod/screening  reason=\\u001b[2J\n',
    );
    expect(JSON.parse(json.out)).toMatchObject({ source: 'controller', fields: { reason: '\u001b[2J' } });
    expect((await here('logs', '--level', 'loud', '--state', 'state-logs')).code).toBe(2);
  });

  it('finds what is wrong, and ends with 1 then', async () => {
    const well = await here('doctor', '--repo', 'models.git');
    const wrong = await here('doctor', '--repo', 'models.git', '--base', 'nowhere', '--json');

    expect(well).toMatchObject({ code: 0, out: expect.stringMatching(/^ok {4}node +24\./) });
    expect(wrong.code).toBe(1);
    expect(JSON.parse(wrong.out)).toMatchObject({ failed: 1 });
  });

  it('needs a controller to say why not, and shows how to start one', async () => {
    const asked = await here('why-not', 'prod/screening@1.0.0');

    expect(asked).toMatchObject({ code: 2, err: expect.stringContaining('Start one: switchback up') });
  });
});
