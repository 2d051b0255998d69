import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { TOKEN } from '../controller.fixture.ts';
import { controllerWith, isReady, MAIN, observe, temporary } from '../main.fixture.ts';
import { BYTES, eventually, KEY, ratioBody, ratioVersion } from '../serving.fixture.ts';

const SHARING = fileURLToPath(new URL('./sharing-server.fixture.ts', import.meta.url));
const BODY = ratioBody([6], [3]);

describe.skipIf(process.platform !== 'linux')('several on one port', () => {
  test('lose far fewer new connections when they leave in order than when they close at once', async () => {
    const servers = [fork(SHARING), fork(SHARING)];
    onTestFinished(() => {
      for (const server of servers) server.disconnect();
    });
    const port = Number((await told(servers[0]!, 'listen 0')).split(' ')[1]);
    await told(servers[1]!, `listen ${port}`);
    const load = asking({ port, callers: 16, isKeptAlive: false });
    const lost = { leave: 0, close: 0 };

    // In turn, so that both meet the machine as it is just then.
    for (let round = 0; round < 8; round++) {
      const word = round % 2 === 0 ? 'leave' : 'close';
      const before = load.failed();
      for (let stop = 0; stop < 25; stop++) {
        await told(servers[stop % 2]!, word);
        await told(servers[stop % 2]!, `listen ${port}`);
      }
      // Each caller has heard what became of what it had asked.
      const at = load.answered();
      await eventually(() => load.answered() > at + 100, 'more');
      lost[word] += load.failed() - before;
    }
    const { ok } = await load.stop();

    // What is left is a matter of microseconds.
    expect(lost.close).toBeGreaterThan(20);
    expect(lost.leave).toBeLessThan(lost.close / 4);
    expect(ok).toBeGreaterThan(1000);
  });

  test('answer on when one is killed: nothing fails but what was open to it, and a second try does not', async () => {
    const { port, start } = await replicas();
    const [first] = [await start('at-once'), await start('at-once')];
    const fresh = asking({ port, callers: 4, isKeptAlive: false });
    const kept = asking({ port, callers: 8, isKeptAlive: true });
    await eventually(async () => fresh.answered() > 100 && kept.answered() > 100, 'load');

    first!.child.kill('SIGKILL');
    await first!.exit;
    const goneAt = performance.now();
    const [killedAt, keptAt] = [fresh.answered(), kept.answered()];
    await eventually(async () => fresh.answered() > killedAt + 200 && kept.answered() > keptAt + 200, 'more');
    const [ofFresh, ofKept] = [await fresh.stop(), await kept.stop()];

    // While it is going the system still deals connections to it.
    const again = [...ofFresh.failedTwice, ...ofKept.failedTwice].filter(({ beganAt }) => beganAt > goneAt);
    expect(again).toEqual([]);
    const late = ({ failed }: { failed: Failure[] }) => failed.filter(({ beganAt }) => beganAt > goneAt);
    expect(late(ofFresh)).toEqual([]);
    expect(late(ofKept).length).toBeLessThanOrEqual(8);
    for (const { why } of [...ofFresh.failed, ...ofKept.failed]) expect(why).toMatch(/ECONNRESET|EPIPE/);
  });

  test('answer on when one stops in order: clients that keep connections are told to open others', async () => {
    const { port, start } = await replicas();
    const [first] = [await start('at-once'), await start('at-once')];
    const kept = asking({ port, callers: 8, isKeptAlive: true });
    await eventually(async () => kept.answered() > 100, 'load');

    const from = performance.now();
    first!.child.kill('SIGTERM');
    const code = await first!.exit;
    const tookMs = performance.now() - from;
    const at = kept.answered();
    await eventually(async () => kept.answered() > at + 100, 'more');
    const { failed, failedTwice } = await kept.stop();

    expect(code).toBe(0);
    expect(failedTwice).toEqual([]);
    // Who did not come to ask once more within the second that is given for it, on a machine so slow, was not told.
    expect(tookMs < 1000 ? failed : failedTwice).toEqual([]);
  });

  test('take in one that is new when it is ready, not before', async () => {
    const { port, start, controller } = await replicas();
    await start('at-once');
    const objects = new Map(controller.objects);
    controller.objects.clear();
    const late = await start('when-ready');
    const load = asking({ port, callers: 2, isKeptAlive: false });
    await eventually(async () => load.answered() > 100, 'load');
    expect([isListening(late), (await observe(late.own)).counts]).toEqual([false, []]);

    for (const [digest, bytes] of objects) controller.objects.set(digest, bytes);
    await eventually(async () => (await observe(late.own)).counts[0]?.attempts, 'a share of the requests');
    const { failed } = await load.stop();

    expect(isListening(late)).toBe(true);
    expect(failed).toEqual([]);
  });

  test('are told apart by the door that each has of its own, which answers all that the shared one does', async () => {
    const { start } = await replicas();
    const [one, other] = [await start('at-once'), await start('at-once')];

    const response = await fetch(`${one.own}/v2/models/ratio/infer`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}` },
      body: BODY,
    });
    const [ofOne, ofOther] = [await observe(one.own), await observe(other.own)];

    expect(await response.json()).toMatchObject({ outputs: [{ data: [2] }] });
    expect([ofOne.pid, ofOther.pid]).toEqual([one.child.pid, other.child.pid]);
    expect([ofOne.counts[0]?.attempts, ofOther.counts]).toEqual([1, []]);
  });
});

interface Replica {
  child: ChildProcess;
  exit: Promise<number | null>;
  logs: { msg: string }[];
  /** Where it alone answers. */
  own: string;
}

const isListening = ({ logs }: Replica) => logs.some(({ msg }) => msg === 'runtime is listening');

/** A controller with one model, and real runtimes on one port. One that joins at once is ready when it is given back. */
async function replicas() {
  const { backend, objects } = ratioVersion({ model: BYTES.onnx() });
  const controller = await controllerWith([backend], objects);
  const tokenFile = join(await temporary(), 'token');
  await writeFile(tokenFile, `${TOKEN}\n`);
  const port = await freePort();
  const start = async (join: 'at-once' | 'when-ready'): Promise<Replica> => {
    const ownPort = await freePort();
    const given = {
      ...{ environment: 'test', controller: controller.address, state: await temporary() },
      ...{ 'token-file': tokenFile, port, 'share-port': join, 'own-port': ownPort },
    };
    const args = Object.entries(given).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exit = new Promise<number | null>(resolve => child.once('exit', resolve));
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await exit;
    });
    const logs: Replica['logs'] = [];
    createInterface(child.stdout!).on('line', line => logs.push(JSON.parse(line)));
    const own = `http://127.0.0.1:${ownPort}`;
    const isThere = join === 'at-once' ? isReady : isAlive;
    await eventually(() => isThere(own), 'a runtime');
    return { child, exit, logs, own };
  };
  return { controller, port, start };
}

const isAlive = async (own: string) => (await fetch(`${own}/healthz`).catch(() => null))?.status === 200;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function told(server: ChildProcess, word: string): Promise<string> {
  const answer = once(server, 'message');
  server.send(word);
  return String((await answer)[0]);
}

interface Failure {
  why: string;
  beganAt: number;
}

interface Load {
  port: number;
  callers: number;
  /** Whether callers keep their connection, or open one for each request. */
  isKeptAlive: boolean;
}

/** Callers that ask one request after another, each failed one once more. */
function asking({ port, callers, isKeptAlive }: Load) {
  const agent = isKeptAlive ? new Agent({ keepAlive: true, maxSockets: callers }) : false;
  const failed: Failure[] = [];
  const failedTwice: Failure[] = [];
  let ok = 0;
  let isOn = true;
  const running = Array.from({ length: callers }, async () => {
    while (isOn) {
      const firstAt = performance.now();
      const first = await askOnce(port, agent);
      if (first === null) ok++;
      else failed.push({ why: first, beganAt: firstAt });
      // On another connection: of those that are kept, more than one may be open to whoever is gone.
      const secondAt = performance.now();
      const second = first === null ? null : await askOnce(port, false);
      if (second !== null) failedTwice.push({ why: second, beganAt: secondAt });
    }
  });
  return {
    answered: () => ok,
    failed: () => failed.length,
    async stop() {
      isOn = false;
      await Promise.all(running);
      if (agent) agent.destroy();
      return { ok, failed, failedTwice };
    },
  };
}

/** What went wrong; null: it was answered. */
function askOnce(port: number, agent: Agent | false): Promise<string | null> {
  return new Promise(resolve => {
    const headers = { authorization: `Bearer ${KEY}`, 'content-length': Buffer.byteLength(BODY) };
    const asked = request(
      { host: '127.0.0.1', port, agent, method: 'POST', path: '/v2/models/ratio/infer', headers },
      response => {
        response.once('end', () => resolve(response.statusCode === 200 ? null : String(response.statusCode)));
        response.once('error', error => resolve(error.message));
        response.resume();
      },
    );
    asked.once('error', error => resolve(`${(error as NodeJS.ErrnoException).code} ${error.message}`));
    asked.end(BODY);
  });
}
