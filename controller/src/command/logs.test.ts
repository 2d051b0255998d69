import {
  appendFile,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EnvironmentName, ModelName } from '@switchback-ml/schemas';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import type { LogLine, LogScope } from './logs/line.ts';
import { type LogsOptions, logs } from './logs.ts';
import { keepLogs, rotateIdle } from './up/log-keeper.ts';

const T0 = Date.parse('2026-11-23T10:00:00.000Z');
const ALL: LogScope = { of: 'deployments' };
const PROD: LogScope = { of: 'deployments', environment: 'prod' as EnvironmentName };
const PROD_FRAUD: LogScope = { ...PROD, model: 'fraud' as ModelName } as LogScope;

let state: string;
let controllerLog: string;
let runtimeLog: string;
beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'switchback-logs-'));
  await mkdir(join(state, 'runtimes', 'prod'), { recursive: true });
  controllerLog = join(state, 'controller.log');
  runtimeLog = join(state, 'runtimes', 'prod', 'runtime.log');
});
afterEach(() => rm(state, { recursive: true, force: true }));

const time = (second: number): string => new Date(T0 + second * 1000).toISOString();
const line = (second: number, msg: string, fields: object = {}): string =>
  `${JSON.stringify({ level: 'info', time: time(second), ...fields, msg })}\n`;

function options(part: Partial<LogsOptions> = {}): LogsOptions {
  const { signal } = new AbortController();
  return {
    state,
    scope: ALL,
    follow: false,
    signal,
    clock: { ...systemClock, now: () => T0 + 60_000 },
    ...part,
  };
}

async function messages(part: Partial<LogsOptions> = {}): Promise<string[]> {
  const found: string[] = [];
  for await (const { message } of logs(options(part))) found.push(message);
  return found;
}

/** Starts to follow, and gives a way to wait for the next message. */
function following(part: Partial<LogsOptions> = {}): { next(): Promise<string> } & AsyncDisposable {
  const leaving = new AbortController();
  const bound = AbortSignal.any([leaving.signal, AbortSignal.timeout(20_000)]);
  const clock = { now: () => T0, sleep: (_: number, signal?: AbortSignal) => systemClock.sleep(5, signal) };
  const lines = logs(options({ follow: true, signal: bound, clock, ...part }));
  return {
    next: async () => {
      const found = await lines.next();
      if (found.done) throw new Error('no line came');
      return found.value.message;
    },
    [Symbol.asyncDispose]: async () => {
      leaving.abort();
      await lines.return();
    },
  };
}

describe('logs', () => {
  it('are those of all processes, in the order of their times, with what was put aside', async () => {
    await writeFile(`${controllerLog}.2`, line(1, 'oldest'));
    await writeFile(`${controllerLog}.1`, line(3, 'older'));
    await writeFile(controllerLog, line(5, 'newer') + line(7, 'newest'));
    await writeFile(runtimeLog, line(2, 'runtime 2') + line(6, 'runtime 6'));

    expect(await messages()).toEqual(['oldest', 'runtime 2', 'older', 'newer', 'runtime 6', 'newest']);
  });

  it('are of one process, one environment or one deployment, by the fields of each line', async () => {
    await writeFile(
      controllerLog,
      line(1, 'of fraud', { subject: 'prod/fraud' }) +
        line(2, 'of triage', { subject: 'prod/triage' }) +
        line(3, 'of staging', { environment: 'staging' }) +
        line(4, 'of prod', { environment: 'prod' }) +
        line(5, 'of nobody'),
    );
    await writeFile(runtimeLog, line(6, 'served', { model: 'fraud' }) + line(7, 'listening'));

    expect(await messages({ scope: { of: 'controller' } })).toHaveLength(5);
    expect(await messages({ scope: PROD })).toEqual([
      'of fraud',
      'of triage',
      'of prod',
      'served',
      'listening',
    ]);
    expect(await messages({ scope: PROD_FRAUD })).toEqual(['of fraud', 'served']);
  });

  it('of an environment are those of all its runtimes, each by its name, and of no other that is called alike', async () => {
    for (const folder of ['prod.1', 'prod-1']) await mkdir(join(state, 'runtimes', folder));
    await writeFile(runtimeLog, line(1, 'first'));
    await writeFile(join(state, 'runtimes', 'prod.1', 'runtime.log'), `${line(2, 'second')}out of memory\n`);
    await writeFile(join(state, 'runtimes', 'prod-1', 'runtime.log'), line(3, 'another'));

    const found: LogLine[] = [];
    for await (const each of logs(options({ scope: PROD }))) found.push(each);
    const other = { ...PROD, environment: 'prod-1' as EnvironmentName };

    expect(found.map(({ source, environment, message }) => [source, environment, message])).toEqual([
      ['prod.0', 'prod', 'first'],
      ['prod.1', 'prod', 'second'],
      ['prod.1', 'prod', 'out of memory'],
    ]);
    expect(await messages({ scope: other })).toEqual(['another']);
  });

  it('are cut by time, by gravity in words or numbers, and by count', async () => {
    await writeFile(
      controllerLog,
      line(1, 'one') +
        line(20, 'two', { level: 'warn' }) +
        line(30, 'three', { level: 50 }) +
        line(40, 'four', { level: 30 }),
    );

    expect(await messages({ since: '40s' })).toEqual(['two', 'three', 'four']);
    expect(await messages({ since: time(30) })).toEqual(['three', 'four']);
    expect(await messages({ level: 'warn' })).toEqual(['two', 'three']);
    expect(await messages({ lines: 2 })).toEqual(['three', 'four']);
    await expect(messages({ since: 'soon' })).rejects.toMatchObject({ code: 'E_USAGE' });
  });

  it('take what is no JSON for an error of the moment before it, and cut what is too long', async () => {
    await writeFile(
      controllerLog,
      `${line(1, 'fine')}TypeError: oh\n    at here\n${'x'.repeat(200_000)}\n${line(2, 'after')}{"level":"in`,
    );
    const found = [];
    for await (const one of logs(options())) found.push(one);

    expect(found.map(({ message }) => message.slice(0, 20))).toEqual([
      'fine',
      'TypeError: oh',
      '    at here',
      'x'.repeat(20),
      'after',
      '{"level":"in',
    ]);
    expect(found[1]).toMatchObject({ level: 'error', at: T0 + 1000, source: 'controller' });
    expect(found[3]?.message.length).toBeLessThanOrEqual(64 * 1024);
  });

  it('say where they were looked for when there are none', async () => {
    await expect(messages()).rejects.toMatchObject({
      code: 'E_NOT_FOUND',
      message: expect.stringContaining(state),
    });
  });
});

describe('followed logs', () => {
  it('go on with what comes, also of a runtime that was not there before', async () => {
    await writeFile(controllerLog, line(1, 'first'));
    await using lines = following();
    expect(await lines.next()).toBe('first');

    await appendFile(controllerLog, line(2, 'second').slice(0, 20));
    await appendFile(controllerLog, line(2, 'second').slice(20));
    expect(await lines.next()).toBe('second');
    await mkdir(join(state, 'runtimes', 'dev'));
    await writeFile(join(state, 'runtimes', 'dev', 'runtime.log'), line(3, 'third'));
    expect(await lines.next()).toBe('third');
  });

  it('lose nothing when the log is renamed away', async () => {
    await writeFile(controllerLog, line(1, 'first'));
    await using lines = following();
    expect(await lines.next()).toBe('first');

    await appendFile(controllerLog, line(2, 'second'));
    await rename(controllerLog, `${controllerLog}.1`);
    await writeFile(controllerLog, line(3, 'third'));

    expect([await lines.next(), await lines.next()]).toEqual(['second', 'third']);
  });

  it('lose nothing when the log is copied and emptied under whoever writes it', async () => {
    await writeFile(controllerLog, line(1, 'first'));
    await using lines = following();
    expect(await lines.next()).toBe('first');

    await appendFile(controllerLog, line(2, 'second'));
    await using _keeper = keepLogs({ files: () => [controllerLog], clock: systemClock, limitBytes: 20 });
    await rotated(`${controllerLog}.1`);
    await appendFile(controllerLog, line(3, 'third'));

    expect([await lines.next(), await lines.next()]).toEqual(['second', 'third']);
  });
});

describe('a log that grows', () => {
  it('is kept within a bounded number of files, the newest nearest, and written on through the same handle', async () => {
    await using handle = await open(controllerLog, 'a');
    const looks = Promise.withResolvers<void>();
    let rounds = 0;
    await handle.write('round 0\n');
    const clock = {
      now: () => 0,
      // Between two looks somebody writes.
      sleep: async (): Promise<void> => {
        rounds += 1;
        if (rounds > 6) return looks.resolve();
        await handle.write(`round ${rounds}\n`);
      },
    };
    const keeper = keepLogs({ files: () => [controllerLog, join(state, 'none.log')], clock, limitBytes: 5 });
    await looks.promise;
    await keeper[Symbol.asyncDispose]();

    const names = (await readdir(state)).filter(name => name.startsWith('controller')).sort();
    expect(names).toEqual(['controller.log', 'controller.log.1', 'controller.log.2', 'controller.log.3']);
    const text = (name: string) => readFile(join(state, name), 'utf8');
    expect(await text('controller.log.1')).toBe('round 6\n');
    expect(await text('controller.log.3')).toBe('round 4\n');
    expect(await text('controller.log')).toBe('');
  });

  it('that nobody writes is put aside whole; one within its limit is left alone', async () => {
    await writeFile(controllerLog, 'long enough\n');

    await rotateIdle(controllerLog, 100);
    expect(await readFile(controllerLog, 'utf8')).toBe('long enough\n');
    await rotateIdle(controllerLog, 5);
    expect(await readFile(`${controllerLog}.1`, 'utf8')).toBe('long enough\n');
    await expect(rotateIdle(controllerLog, 5)).resolves.toBeUndefined();
  });
});

/** Watches for the file itself, with a bound. */
async function rotated(file: string): Promise<void> {
  const end = Date.now() + 10_000;
  while ((await stat(file).catch(() => null)) === null || (await stat(controllerLog)).size > 0) {
    if (Date.now() > end) throw new Error('the log was not put aside');
    await systemClock.sleep(5);
  }
}
