import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Clock, systemClock } from '../../clock.ts';
import { makeLog } from '../../log.ts';
import type { Actuation } from '../actuation.ts';
import { localProcessActuation } from './index.ts';
import type { LocalProcessActuationOptions } from './options.ts';

/** A program that does as much of a runtime as whoever keeps it asks for. */
export const STAND_IN = fileURLToPath(new URL('./stand-in-runtime.fixture.ts', import.meta.url));

/** Three times as fast as the system's, so that five seconds of silence pass in less than two. */
export const FAST: Clock = {
  now: () => systemClock.now() * 3,
  sleep: (ms, signal) => systemClock.sleep(ms / 3, signal),
};

/** With what an actuation expects in it. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'switchback-actuation-'));
  mkdirSync(join(folder, 'runtimes'));
  writeFileSync(join(folder, 'token'), 'a-token\n');
  return folder;
}

/** For stand-ins in such a folder. */
export function standInOptions(folder: string, clock: Clock = FAST): LocalProcessActuationOptions {
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
export async function endAll(opened: Actuation[], options: LocalProcessActuationOptions): Promise<void> {
  for (const actuation of opened.splice(0)) await actuation[Symbol.asyncDispose]();
  await using last = localProcessActuation(options);
  await last.stopAll(AbortSignal.abort());
}
