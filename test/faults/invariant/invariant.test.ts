import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Answers, type Judged } from '../../../demo/observer/answers.ts';
import type { SeenProcess } from '../../e2e/processes.fixture.ts';
import type { Outage, Round } from '../round.ts';
import { badVersion } from '../story/bad-version.ts';
import type { ToldEvent } from '../world/chronicle.ts';
import type { Served } from '../world/service.ts';
import { checkEvents } from './events.ts';
import { checkGit } from './git.ts';
import { checkLeftovers } from './leftovers.ts';
import { checkProcesses } from './processes.ts';
import { checkRequests } from './requests.ts';
import { checkSecrets } from './secrets.ts';
import { checkServed } from './served.ts';

const BAD = '2.0.1';
const MOVED_MS = 5000;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchback-invariant-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('what is served', () => {
  const cases: [string, Partial<Served> & Pick<Served, 'backends'>, string[]][] = [
    ['last good alone', { backends: [share('1.0.0', 100)] }, []],
    ['a canary at its step', { backends: [share('1.0.0', 80), share(BAD, 20)] }, []],
    ['a canary above its step', { backends: [share('1.0.0', 79), share(BAD, 21)] }, ['served lawfully']],
    ['a bad version alone', { backends: [share(BAD, 100)] }, ['served lawfully']],
    [
      'a version of another round',
      { backends: [share('1.0.0', 80), share('2.0.7', 20)] },
      ['served lawfully'],
    ],
    [
      'a bad version after its traffic had moved',
      { backends: [share('1.0.0', 80), share(BAD, 20)], from: MOVED_MS + 1, until: MOVED_MS + 2 },
      ['served lawfully'],
    ],
    ['a new version in staging', { environment: 'staging', backends: [share(BAD, 100)] }, []],
    [
      'two at once in staging',
      { environment: 'staging', backends: [share(BAD, 50), share('1.0.0', 50)] },
      ['served lawfully'],
    ],
  ];

  test.each(cases)('%s', (_, served, rules) => {
    const round = roundOf({
      served: [{ environment: 'prod', from: 1000, until: 2000, ...served }],
      events: [{ ...event(1, 'operation.moved', 'a', 'rollback'), at: MOVED_MS }],
    });

    checkServed(round, badVersion);

    expect(rulesOf(round)).toEqual(rules);
  });

  test('an answer of a bad version that was asked for after its traffic had moved', () => {
    const round = roundOf({
      answers: [answer({ version: BAD, sentAt: MOVED_MS + 1 })],
      events: [{ ...event(1, 'operation.moved', 'a', 'rollback'), at: MOVED_MS }],
    });

    checkServed(round, badVersion);

    expect(rulesOf(round)).toEqual(['served lawfully']);
  });
});

describe('requests', () => {
  const failed = (sentAt: number, environment = 'prod'): Judged =>
    answer({ status: 0, sentAt, atMs: sentAt + 10, environment });
  const killed: Outage[] = [{ environment: 'prod', fromMs: 1000 }];

  test.each<[string, Outage[], Judged[], string[]]>([
    ['that fail while nothing was killed', [], [failed(1005)], ['no failed request']],
    ['aboard a killed front', killed, [failed(995), answer({ sentAt: 1400, atMs: 1401 })], []],
    ['of another environment', killed, [failed(1005, 'staging')], ['no failed request']],
    [
      'that fail once it had answered again',
      killed,
      [failed(1005), answer({ sentAt: 1400, atMs: 1401 }), failed(1402)],
      ['no failed request'],
    ],
    ['that are never answered again', killed, [failed(1005)], ['answers again']],
  ])('%s', (_, outages, answers, rules) => {
    const round = roundOf({ answers, outages });

    checkRequests(round);

    expect(rulesOf(round)).toEqual(rules);
  });
});

describe('events', () => {
  test.each<[string, ToldEvent[], string[]]>([
    ['of an operation that went its way', way('intended', 'pushed', 'done'), []],
    ['of one that was intended twice', way('intended', 'intended', 'done'), ['operations whole']],
    ['of one that ended twice', way('intended', 'done', 'done'), ['operations whole']],
    ['of one that never ended', way('intended', 'pushed'), ['operations whole']],
    ['of one that went back', way('intended', 'pushed', 'moved', 'done'), ['operations whole']],
    ['with a gap', [event(1, 'commit.seen'), event(3, 'commit.seen')], ['events in order']],
    ['of a record that was refused', [event(1, 'operation.intended'), event(2, 'operation.refused')], []],
  ])('%s', (_, events, rules) => {
    const round = roundOf({ events });

    checkEvents(round);

    expect(rulesOf(round)).toEqual(rules);
  });
});

describe('processes', () => {
  const up = seen(10, process.pid, 'node controller/src/cli/main.ts up --state x');
  const controller = seen(11, 10, 'node controller/src/main.ts --state x');
  const runtimes = [12, 13].map(pid => seen(pid, 1, 'node runtime/src/main.ts --environment y'));
  const whole = [up, controller, ...runtimes, seen(14, 12, 'engine')];

  test('that all have a parent are fine, and a runtime needs none', async () => {
    const round = roundOf({ living: whole });

    await checkProcesses(round);

    expect(rulesOf(round)).toEqual([]);
  });

  test.each([
    ['an engine whose front is gone', [...whole, seen(15, 99, 'engine')]],
    ['two controllers', [...whole, seen(15, 10, controller.words)]],
    ['no controller', whole.filter(each => each !== controller)],
    ['a third runtime', [...whole, seen(15, 1, 'node runtime/src/main.ts --environment z')]],
  ])('with %s among them are not', async (_, living) => {
    const round = roundOf({ living });

    await checkProcesses(round, 0);

    expect(rulesOf(round)).toEqual(['no orphan']);
  });
});

describe('git', () => {
  const git = (...args: string[]): string =>
    execFileSync('git', ['--git-dir', folder, '-c', 'user.name=a', '-c', 'user.email=a@localhost', ...args], {
      encoding: 'utf8',
    }).trim();
  const commit = (message: string, parent: string | null, ref = 'refs/heads/main'): string => {
    const tree = git('mktree', '--missing');
    const made = git('commit-tree', tree, ...(parent ? ['-p', parent] : []), '-m', message);
    git('update-ref', '--create-reflog', ref, made);
    return made;
  };
  beforeEach(() => execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', folder]));

  test('that went back, and carried one operation out twice', async () => {
    const first = commit('first', null);
    commit('one', first);
    commit('beside it\n\nSwitchback-Operation: 0123456789abcdef', first);
    commit('again\n\nSwitchback-Operation: 0123456789abcdef', null, 'refs/switchback/history');
    const round = roundOf({ git: async (...args) => git(...args) });

    await checkGit(round, badVersion, true);

    expect(rulesOf(round)).toEqual(expect.arrayContaining(['one effect', 'only forward']));
    expect(round.violations.find(({ rule }) => rule === 'one effect')?.seen).toContain('0123456789abcdef');
  });
});

test.each(['ledger/x.lock', 'a/tmp_pack_1', 'process.json.new', 'incoming/half'])(
  'a left-over %s is found',
  async path => {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), '');
    const round = roundOf({ state: folder, bare: folder });

    await checkLeftovers(round, 0);

    expect(rulesOf(round)).toEqual(['nothing left over']);
  },
);

test('a secret is found in a log, an event and on a command line, and not in its own file', async () => {
  mkdirSync(join(folder, 'keys'));
  for (const name of ['operator-token', 'runtime-token', 'keys/prod'])
    writeFileSync(join(folder, name), `secret of ${name}\n`);
  writeFileSync(join(folder, 'controller.log'), 'it said secret of runtime-token.');
  const round = roundOf({
    state: folder,
    events: [{ ...event(1, 'commit.seen'), data: { subject: 'secret of keys/prod' } }],
    living: [seen(1, 1, 'git --header the-git-password')],
    git: async () => '',
  });

  await checkSecrets(round);

  expect(round.violations.map(({ expected }) => expected)).toEqual([
    'no key of prod in an event',
    'no password of the remote in a command line',
    "no runtimes' token in controller.log",
  ]);
});

interface Parts {
  served: Served[];
  answers: Judged[];
  events: ToldEvent[];
  outages: Outage[];
  living: SeenProcess[];
  git: (...args: string[]) => Promise<string>;
  state: string;
  bare: string;
}

/** A round in a world of which only what is looked at is there. */
function roundOf(parts: Partial<Parts>): Round {
  const answers = new Answers();
  for (const each of parts.answers ?? []) answers.add(each);
  const world = {
    services: { served: parts.served ?? [], answers },
    chronicle: { events: parts.events ?? [] },
    processes: { living: async () => parts.living ?? [] },
    git: parts.git,
    state: parts.state,
    bare: parts.bare,
    directory: parts.state,
    printed: [],
    rewritten: [],
    gitToken: 'the-git-password',
    secret: async (...name: string[]) => `secret of ${name.join('/')}`,
  } as unknown as Round['world'];
  return {
    world,
    scenario: 'a test',
    seed: 1,
    random: () => 0,
    version: BAD,
    before: '1.0.0',
    since: { atMs: 0, answers: 0, events: 0 },
    outages: parts.outages ?? [],
    meanwhile: [],
    violations: [],
  };
}

const rulesOf = ({ violations }: Round): string[] => violations.map(({ rule }) => rule);

function share(version: string, weight: number): Served['backends'][number] {
  return { version, revision: `revision of ${version}`, weight };
}

function answer(part: Partial<Judged>): Judged {
  const usual = { environment: 'prod', model: 'screening', version: '1.0.0', status: 200, isNull: false };
  return { ...usual, sentAt: 0, atMs: 0, tookMs: 0, ...part };
}

function event(seq: number, type: string, operation = 'a', kind = 'record'): ToldEvent {
  const isOperation = type.startsWith('operation.');
  return {
    seq,
    at: 0,
    type,
    subject: 'prod/screening',
    data: { kind },
    ...(isOperation ? { operation } : {}),
  };
}

function way(...steps: string[]): ToldEvent[] {
  return steps.map((step, index) => event(index + 1, `operation.${step}`, 'a', 'rollback'));
}

function seen(pid: number, parent: number, words: string): SeenProcess {
  return { pid, parent, start: 'now', words };
}
