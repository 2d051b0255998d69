import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Child } from '../../bench/serving/subject/child.ts';
import { type Serving, startServing } from '../clients/serving.fixture.ts';
import { BREAKAGES } from './breakages.fixture.ts';
import { type Breakage, breakServer, editJson } from './broken.fixture.ts';
import { conform, type Finding, GROUPS, type Verdict, verdictOn } from './conformance.ts';
import { serverAt } from './server.ts';
import { learn } from './subject.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const MOST_MS = 60_000;
/** Of whatever the machine does besides. */
const START_MS = 180_000;
/** What a server says of its own health to the end is found by breaking it once it was hurt. */
const AFTERWARDS = ['still answers after all of these', 'still answers after the hostile requests'];

const INFERS = 'answers a request made from its own metadata';
/** Its metadata are well formed, and tell no inputs. */
const SILENT: Breakage = {
  say: (reply, { path }) =>
    path === '/v2/models/ratio' ? editJson(json => ({ ...json, inputs: [] }))(reply) : reply,
};

let serving: Serving;
beforeAll(async () => {
  serving = await startServing();
}, START_MS);
afterAll(() => serving?.[Symbol.asyncDispose]());

interface Checked {
  findings: Finding[];
  verdict: Verdict['kind'];
}

async function check(url: string, model: string, groups = GROUPS): Promise<Checked> {
  const headers = { authorization: `Bearer ${serving.key}` };
  const server = serverAt({ url, headers, signal: AbortSignal.timeout(MOST_MS) });
  const asked = { server, model, version: null, request: null, assume: [], isKeyed: true };
  const subject = await learn(asked);
  const findings = await conform(subject, undefined, groups);
  return { findings, verdict: verdictOn(findings, subject).kind };
}

/** By all groups, or by the one that has this check. */
async function checkBroken(breakage: Breakage, name?: string): Promise<Checked> {
  await using broken = await breakServer(serving.address, breakage);
  const groups = GROUPS.filter(
    ({ checks }) => name === undefined || checks.some(({ name: n }) => n === name),
  );
  return await check(broken.url, 'ratio', groups);
}

const failed = ({ findings }: Checked): string[] =>
  findings.filter(({ outcome }) => outcome.kind === 'fail').map(({ name }) => name);

describe('a runtime', () => {
  test.each(['ratio', 'echo'])(
    'does all that is asked, by the specification and beyond it: %s',
    async model => {
      const { findings, verdict } = await check(serving.address, model);

      expect(verdict).toBe('conformant');
      expect(findings.filter(({ outcome }) => outcome.kind === 'fail')).toEqual([]);
      expect(findings.filter(({ isRequired, outcome }) => isRequired && outcome.kind === 'skipped')).toEqual(
        [],
      );
    },
  );
});

describe('a broken server', () => {
  const required = GROUPS.flatMap(({ checks }) => checks)
    .filter(({ isBeyond }) => isBeyond !== true)
    .map(({ name }) => name);

  test('that does nothing wrong passes', async () => {
    expect((await checkBroken({})).verdict).toBe('conformant');
  });

  test('is found by every check that the specification asks for', () => {
    expect([...Object.keys(BREAKAGES), ...AFTERWARDS].toSorted()).toEqual(required.toSorted());
  });

  test.each(Object.entries(BREAKAGES))('is found out: %s', async (name, breakage) => {
    const checked = await checkBroken(breakage, name);

    expect(failed(checked)).toContain(name);
    expect(checked.verdict).toBe(name === INFERS ? 'nothing inferred' : 'not conformant');
  });

  test.each([
    ['still answers after all of these', '"no-such-output"'],
    ['still answers after the hostile requests', 'x-forged'],
  ])('is found out when it no longer %s', async (name, last) => {
    let isHurt = false;
    const hurt: Breakage = {
      say(reply, { body }) {
        isHurt ||= body.includes(last);
        return isHurt ? { ...reply, status: 503 } : reply;
      },
    };

    expect(failed(await checkBroken(hurt, name))).toContain(name);
  });

  test('that is not there fails, with the reason, and is no exception', async () => {
    const { findings, verdict } = await check('http://127.0.0.1:1', 'ratio');

    expect(verdict).toBe('nothing inferred');
    expect(findings[0]?.outcome).toMatchObject({ kind: 'fail', got: expect.stringContaining('no answer') });
  });

  test('with no inputs in its metadata is asked nothing that had to be made from them', async () => {
    const { findings, verdict } = await checkBroken(SILENT, INFERS);

    expect(verdict).toBe('nothing inferred');
    expect(findings.find(({ name }) => name === INFERS)?.outcome).toMatchObject({
      kind: 'skipped',
      why: expect.stringContaining('--request'),
    });
  });
});

test('names of a model and of a version may hold what has a meaning in an address', async () => {
  const [model, version] = ['a/b c', '1/2?'];
  const names = (json: Record<string, unknown>): object => ({
    ...json,
    ...(json['name'] === 'ratio' && { name: model }),
    ...('versions' in json && { versions: [version] }),
    ...('model_name' in json && { model_name: model, model_version: version }),
  });
  const path = (asked: string): string =>
    asked.replace('/models/a%2Fb%20c', '/models/ratio').replace('/versions/1%2F2%3F', '/versions/1.0.0');
  await using renamed = await breakServer(serving.address, {
    hear: request => ({ ...request, path: path(request.path) }),
    say: editJson(names),
  });
  const groups = GROUPS.filter(({ name }) => ['Health', 'Metadata', 'Inference in JSON'].includes(name));

  const { findings } = await check(renamed.url, model, groups);

  expect(findings.filter(({ isRequired, outcome }) => isRequired && outcome.kind !== 'pass')).toEqual([]);
});

describe('the command', () => {
  async function run(...args: string[]): Promise<{ code: number; lines: string[] }> {
    const lines: string[] = [];
    let code: number | null = null;
    await using child = await Child.start({
      program: process.execPath,
      args: [MAIN, ...args],
      onLine: line => void lines.push(line),
      onExit: ended => (code = ended),
    });
    const bound = { boundMs: MOST_MS, signal: AbortSignal.timeout(MOST_MS) };
    return { code: await child.until(async () => code, 'its end', bound), lines };
  }

  async function keyFile(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'switchback-conformance-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await writeFile(join(folder, 'key'), `${serving.key}\n`);
    return join(folder, 'key');
  }

  test('prints groups, a table and a verdict, and ends with 0', async () => {
    const { code, lines } = await run(
      '--url',
      serving.address,
      '--model',
      'ratio',
      '--key-file',
      await keyFile(),
    );

    expect(code).toBe(0);
    expect(lines).toContain('Binary tensors');
    expect(lines).toContain('  ok      says that it is live with 200');
    expect(lines.at(-1)).toContain('does all that the specification asks for');
  });

  test('ends with 1 where a required check fails, and says so in one line of JSON', async () => {
    await using broken = await breakServer(serving.address, BREAKAGES['gives the id of a request back']!);

    const { code, lines } = await run(
      ...['--url', broken.url, '--model', 'ratio', '--key-file', await keyFile(), '--json'],
    );

    expect(code).toBe(1);
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0]!)).toMatchObject({ ok: false, model: 'ratio', required: { failed: 1 } });
  });

  test.each<[string, Breakage, string]>([
    ['tells no inputs', SILENT, 'the metadata tell no inputs to make a request from'],
    [
      'answers 500 to every inference',
      {
        say: (reply, { path }) =>
          path.endsWith('/infer')
            ? { ...reply, status: 500, body: Buffer.from('{"error":"broken"}') }
            : reply,
      },
      'the request was answered with 500 {"error":"broken"}',
    ],
    [
      'answers every inference with something else',
      { say: (reply, { path }) => (path.endsWith('/infer') ? editJson(() => ({}))(reply) : reply) },
      'the request was answered with what is no inference response ("model_name" is no string): 200 {}',
    ],
  ])('ends with 2 where a server %s, since nothing was inferred', async (_, breakage, why) => {
    await using broken = await breakServer(serving.address, breakage);
    const args = ['--url', broken.url, '--model', 'ratio', '--key-file', await keyFile()];

    const [text, json] = await Promise.all([run(...args), run(...args, '--json')]);

    expect([text.code, json.code]).toEqual([2, 2]);
    expect(text.lines.at(-1)).toContain(`nothing was inferred: ${why}`);
    expect(JSON.parse(json.lines[0]!)).toMatchObject({ ok: false, why: expect.stringContaining(why) });
  });

  test('knows a key by the name of its header, and asks without it, but with the other headers', async () => {
    await using keyed = await breakServer(serving.address, {
      hear: ({ headers: { 'x-api-key': key, ...headers }, ...request }) => ({
        ...request,
        headers: { ...headers, ...(key !== undefined && { authorization: `Bearer ${key}` }) },
      }),
      say: (reply, { headers }) => (headers['x-tenant'] === undefined ? { ...reply, status: 400 } : reply),
    });
    const given = ['--header', `X-API-Key: ${serving.key}`, '--header', 'x-tenant: a', '--json'];

    const { lines } = await run('--url', keyed.url, '--model', 'ratio', ...given);

    const { findings }: { findings: Finding[] } = JSON.parse(lines[0]!);
    const name = 'lets nobody infer who does not say who it is';
    expect(findings.find(finding => finding.name === name)?.outcome).toEqual({ kind: 'pass' });
  });

  test.each([
    ['no address', []],
    ['an address with a password', ['--url', 'http://a:b@127.0.0.1:1']],
    ['an option that it does not know', ['--url', 'http://127.0.0.1:1', '--frobnicate']],
    ['no model where the server lists none', ['--url', 'http://127.0.0.1:1']],
  ])('ends with 2 for %s', async (_, args) => {
    expect((await run(...args)).code).toBe(2);
  });
});
