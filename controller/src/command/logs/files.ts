import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type EnvironmentName, type Instant, runtimeName } from '@switchback-ml/schemas';
import { rememberedReplicas, replicaFolder } from '../../actuation/local-process/process-record.ts';
import { STATE_FILES } from '../controller/state-directory.ts';

/** A log of the state directory and whose it is. */
export interface LogFile {
  /** `controller`, or a runtime: `prod`, and `prod.0` where the environment has had several. */
  source: string;
  /** Of a runtime. */
  environment?: EnvironmentName;
  file: string;
}

export function logFiles(state: string): LogFile[] {
  const runtimes = join(state, STATE_FILES.runtimes);
  const known = rememberedReplicas(runtimes);
  const several = new Set(known.filter(({ replica }) => replica > 0).map(({ environment }) => environment));
  return [
    { source: 'controller', file: join(state, STATE_FILES.log) },
    ...known.map(id => ({
      source: several.has(id.environment) ? runtimeName(id.environment, id.replica) : id.environment,
      environment: id.environment,
      file: join(replicaFolder(runtimes, id), STATE_FILES.runtimeLog),
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
