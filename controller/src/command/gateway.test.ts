import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type GatewayOptions, gateway } from './gateway.ts';
import type { LogLine } from './logs/line.ts';

const COMMAND_LINE = fileURLToPath(new URL('../cli/main.ts', import.meta.url));

/** Stands for a runtime: ready, and says one thing. */
async function startRuntime(): Promise<string> {
  const server = createServer((request, response) => {
    request.resume().once('end', () => {
      const body = Buffer.from('{"here":true}');
      response.writeHead(200, { 'content-length': body.length }).end(body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function listOf(...urls: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'switchback-gateway-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'runtimes.json');
  await writeFile(file, JSON.stringify({ runtimes: urls.map(url => ({ url, environment: 'prod' })) }));
  return file;
}

async function programOf(text: string): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'switchback-gateway-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'main.mjs');
  await writeFile(file, text);
  return [process.execPath, file];
}

interface Started {
  done: Promise<void>;
  stop: () => Promise<void>;
  /** The first line that says so. */
  said: (message: string) => Promise<LogLine>;
}

/** Stops with the test. */
function start(options: Pick<GatewayOptions, 'runtimes' | 'port' | 'program'>): Started {
  const stopping = new AbortController();
  const lines: LogLine[] = [];
  let look = (): void => {};
  const done = gateway({
    ...options,
    environment: process.env,
    signal: stopping.signal,
    onLine: line => {
      lines.push(line);
      look();
    },
  });
  done.catch(() => {});
  const stop = async (): Promise<void> => {
    stopping.abort();
    await done.catch(() => {});
  };
  onTestFinished(stop);
  const said: Started['said'] = message =>
    Promise.race([
      new Promise<LogLine>(resolve => {
        look = () => {
          const found = lines.find(line => line.message === message);
          if (found !== undefined) resolve(found);
        };
        look();
      }),
      done.then(() => Promise.reject(new Error('it ended'))),
    ]);
  return { done, stop, said };
}

const infer = (address: unknown): Promise<Response> =>
  fetch(`${address}/prod/v2/models/fraud/infer`, { method: 'POST', body: '{}' });

describe('a gateway that is run from here', () => {
  it('passes requests on until it is told to stop, and then listens no more', async () => {
    const { done, stop, said } = start({ runtimes: await listOf(await startRuntime()), port: 0 });
    const { fields, source, level } = await said('gateway is listening');
    await said('runtime is asked');

    const answer = await infer(fields['address']);
    await stop();

    expect({ source, level }).toEqual({ source: 'gateway', level: 'info' });
    expect(await answer.json()).toEqual({ here: true });
    await expect(done).resolves.toBeUndefined();
    await expect(infer(fields['address'])).rejects.toThrow('fetch failed');
  });

  it('ends well where it is told to before it can hear that', async () => {
    const { done, stop } = start({ runtimes: await listOf(), port: 0 });

    await stop();

    await expect(done).resolves.toBeUndefined();
  });

  it('says in its own words why it can not start', async () => {
    const taken = new URL(await startRuntime());
    const [noFile, noList, noPort] = [
      start({ runtimes: '/nowhere/runtimes.json', port: 0 }),
      start({ runtimes: await listOf('ftp://10.0.0.5'), port: 0 }),
      start({ runtimes: await listOf(), port: Number(taken.port) }),
    ];

    await expect(noFile!.done).rejects.toMatchObject({
      code: 'E_CONFIG',
      message: expect.stringContaining('/nowhere/runtimes.json can not be read (ENOENT)'),
    });
    await expect(noList!.done).rejects.toMatchObject({
      code: 'E_CONFIG',
      message: expect.stringContaining('runtimes[0].url must be http://'),
    });
    await expect(noPort!.done).rejects.toMatchObject({
      code: 'E_PORT_TAKEN',
      message: expect.stringContaining('choose another with --port'),
    });
  });

  it('is told of where it is not installed, and where it is gone without a word', async () => {
    const runtimes = await listOf();
    const missing = start({ runtimes, program: [process.execPath, '/nowhere/main.ts'] });
    const killed = start({ runtimes, port: 0 });
    const { fields } = await killed.said('gateway is listening');

    process.kill(Number(fields['pid']), 'SIGKILL');

    await expect(missing.done).rejects.toMatchObject({
      code: 'E_CONFIG',
      message: expect.stringContaining('not installed here'),
    });
    await expect(killed.done).rejects.toMatchObject({
      code: 'E_INTERNAL',
      message: 'The gateway is gone: it was ended by SIGKILL.',
    });
  });
});

describe('a gateway that is gone', () => {
  it('is said to be killed, and not to be gone for an error that it lived through', async () => {
    const runtimes = await listOf('http://127.0.0.1:1');
    const { done, said } = start({ runtimes, port: 0 });
    const { fields } = await said('gateway is listening');
    await writeFile(runtimes, 'nonsense');
    await said('list of runtimes can not be used, the last one is kept');

    process.kill(Number(fields['pid']), 'SIGKILL');

    await expect(done).rejects.toMatchObject({
      code: 'E_INTERNAL',
      message: expect.stringMatching(
        /^The gateway is gone: it was ended by SIGKILL\. The last error that it told: list of runtimes can not be used, the last one is kept: /,
      ),
    });
  });

  it('is gone for what it said itself, whatever comes after that', async () => {
    const line = {
      level: 'error',
      time: 0,
      msg: 'gateway can not go on',
      code: 'E_CONFIG',
      reason: 'No list.',
    };
    const program = `console.log(${JSON.stringify(JSON.stringify(line))}); console.log('(node:1) Warning'); process.exitCode = 1;`;

    const { done } = start({ runtimes: await listOf(), program: await programOf(program) });

    await expect(done).rejects.toMatchObject({ code: 'E_CONFIG', message: 'No list.' });
  });
});

describe('switchback gateway', () => {
  /** Ends with the test. */
  async function run(...more: readonly string[]) {
    const runtimes = await listOf(await startRuntime());
    const args = [COMMAND_LINE, 'gateway', '--runtimes', runtimes, '--port', '0', ...more];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const exit = once(child, 'exit');
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await exit;
    });
    const lines = createInterface(child.stdout!)[Symbol.asyncIterator]();
    const line = async (sought: RegExp): Promise<string> => {
      for (let next = await lines.next(); !next.done; next = await lines.next())
        if (sought.test(next.value)) return next.value;
      throw new Error(`it never said ${sought}`);
    };
    return { child, exit, line };
  }

  it('prints its log for people, and ends well when it is told to', async () => {
    const { child, exit, line } = await run();
    const listening = await line(/gateway is listening/);

    child.kill('SIGTERM');

    expect(listening).toMatch(/^\d{4}-.*Z info {2}gateway {4}gateway is listening {2}address=http:\/\/127/);
    expect(await line(/is stopping/)).toContain('reason=SIGTERM');
    expect(await exit).toEqual([0, null]);
  });

  it('prints its log for programs, and takes the gateway along when it is killed', async () => {
    const { child, exit, line } = await run('--json');
    const { source, fields } = JSON.parse(await line(/gateway is listening/));
    await line(/runtime is asked/);
    expect(await (await infer(fields.address)).json()).toEqual({ here: true });

    child.kill('SIGKILL');
    await exit;

    expect(source).toBe('gateway');
    await expect.poll(() => isAlive(fields.pid), { timeout: 15_000, interval: 20 }).toBe(false);
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
