import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EnvironmentName } from '@switchback-ml/schemas';
import { afterEach, beforeEach } from 'vitest';
import { type Clock, systemClock } from '../../clock.ts';
import { makeLog } from '../../log.ts';
import { PROD, until } from '../actuation.contract.ts';
import type { Actuation, ObservedRuntime } from '../actuation.ts';
import { localProcessActuation } from './index.ts';
import type { LocalProcessActuationOptions } from './options.ts';
import { ProcessRecord, processFile, replicaFolder } from './process-record.ts';

/** A program that does as much of a runtime as whoever keeps it asks for. */
export const STAND_IN = fileURLToPath(new URL('./stand-in-runtime.fixture.ts', import.meta.url));

/** Three times as fast as the system's, so that five seconds of silence pass in less than two. */
export const FAST: Clock = {
  now: () => systemClock.now() * 3,
  sleep: (ms, signal) => systemClock.sleep(ms / 3, signal),
};

export interface StandIns {
  /** Of the present test. */
  readonly folder: string;
  options(): LocalProcessActuationOptions;
  /** Closed after the test. */
  actuating(changed?: Partial<LocalProcessActuationOptions>): Actuation;
  /** Lets one of prod behave so from now on, or when it next starts. */
  mark(what: Mark, replica?: number): void;
  unmark(what: Mark, replica?: number): void;
  /** What is written down of an environment's first. */
  record(environment: EnvironmentName): ProcessRecord;
  forge(environment: EnvironmentName, record: ProcessRecord): void;
}

export type Mark = 'crash' | 'deaf' | 'unready';

/** For each test of the file a folder of its own; no process in it outlives the test. */
export function standIns(clock: Clock = FAST): StandIns {
  let folder = '';
  const opened: Actuation[] = [];
  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(async () => {
    await endAll(opened, options());
    rmSync(folder, { recursive: true, force: true });
  });

  return {
    get folder() {
      return folder;
    },
    options,
    actuating: (changed = {}) => {
      const actuation = localProcessActuation({ ...options(), ...changed });
      opened.push(actuation);
      return actuation;
    },
    mark: (what, replica = 0) => {
      mkdirSync(folderOf(replica), { recursive: true });
      writeFileSync(join(folderOf(replica), what), '');
    },
    unmark: (what, replica = 0) => rmSync(join(folderOf(replica), what)),
    record: environment => ProcessRecord.parse(JSON.parse(readFileSync(fileOf(environment), 'utf8'))),
    forge: (environment, record) => writeFileSync(fileOf(environment), JSON.stringify(record)),
  };

  function options(): LocalProcessActuationOptions {
    return standInOptions(folder, clock);
  }

  function folderOf(replica: number): string {
    return replicaFolder(join(folder, 'runtimes'), { environment: PROD, replica });
  }

  function fileOf(environment: EnvironmentName): string {
    return processFile(join(folder, 'runtimes'), { environment, replica: 0 });
  }
}

/** The environment's only runtime, once it runs. */
export async function runs(actuation: Actuation, environment: EnvironmentName): Promise<ObservedRuntime> {
  await until(actuation, () => find(actuation, environment)?.state === 'running');
  return find(actuation, environment)!;
}

export function find(actuation: Actuation, environment: EnvironmentName): ObservedRuntime | undefined {
  return actuation.observe().runtimes.find(runtime => runtime.environment === environment);
}

/** With what an actuation expects in it. */
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'switchback-actuation-'));
  mkdirSync(join(folder, 'runtimes'));
  writeFileSync(join(folder, 'token'), 'a-token\n');
  return folder;
}

/** For stand-ins in such a folder. */
function standInOptions(folder: string, clock: Clock = FAST): LocalProcessActuationOptions {
  return {
    command: [process.execPath, STAND_IN],
    directory: join(folder, 'runtimes'),
    controllerUrl: 'http://127.0.0.1:1',
    tokenFile: join(folder, 'token'),
    host: '127.0.0.1',
    clock,
    log: makeLog('silent'),
  };
}

/** What a failed test left behind is found the way a new controller would find it. */
async function endAll(opened: Actuation[], options: LocalProcessActuationOptions): Promise<void> {
  for (const actuation of opened.splice(0)) await actuation[Symbol.asyncDispose]();
  await using last = localProcessActuation(options);
  await last.stopAll(AbortSignal.abort());
}
