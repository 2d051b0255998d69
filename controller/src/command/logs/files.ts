import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Instant } from '@switchback-ml/schemas';
import { rememberedEnvironments } from '../../actuation/local-process/process-record.ts';
import { STATE_FILES } from '../controller/state-directory.ts';

/** A log of the state directory and whose it is. */
export interface LogFile {
  /** `controller`, or the environment of a runtime. */
  source: string;
  file: string;
}

export function logFiles(state: string): LogFile[] {
  const runtimes = join(state, STATE_FILES.runtimes);
  return [
    { source: 'controller', file: join(state, STATE_FILES.log) },
    ...rememberedEnvironments(runtimes).map(environment => ({
      source: environment,
      file: join(runtimes, environment, STATE_FILES.runtimeLog),
    })),
  ];
}

/** What was put aside of a log, oldest first; what was written last before `since` is left out. */
export async function putAside(file: string, since: Instant): Promise<string[]> {
  const names = await readdir(dirname(file)).catch(() => []);
  const prefix = `${basename(file)}.`;
  const numbered = names.flatMap(name => {
    const number = name.startsWith(prefix) ? name.slice(prefix.length) : '';
    return /^\d{1,3}$/.test(number) ? [{ file: join(dirname(file), name), number: Number(number) }] : [];
  });
  const kept: string[] = [];
  for (const { file: path } of numbered.sort((a, b) => b.number - a.number)) {
    const found = await stat(path).catch(() => null);
    if (found !== null && found.mtimeMs >= since) kept.push(path);
  }
  return kept;
}
