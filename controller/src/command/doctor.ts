import type { Status } from '@switchback-ml/schemas';
import { type Clock, systemClock } from '../clock.ts';
import { credentialsFor } from '../credentials.ts';
import { parseRemoteUrl, type RemoteUrl } from '../repository/remote-url.ts';
import { readControllerFile } from './controller/state-directory.ts';
import { attempt, type Check, skip } from './doctor/check.ts';
import { lfsCheck } from './doctor/lfs.ts';
import {
  diskCheck,
  gitCheck,
  gitLfsCheck,
  isolationCheck,
  judgeLimits,
  machineLimits,
  nodeCheck,
} from './doctor/machine.ts';
import {
  branchCheck,
  clockCheck,
  credentialsCheck,
  historyCheck,
  manifestsCheck,
  pushCheck,
} from './doctor/repository.ts';
import { runningChecks } from './doctor/running.ts';
import { portChecks, stateChecks } from './doctor/state.ts';
import type { Progress } from './progress.ts';
import { gitCredential } from './register/lfs-access.ts';
import { readRights } from './workspace/person.ts';
import { type ReadOptions, readingTarget } from './workspace/read.ts';
import { type Look, openReader, type Reader } from './workspace/workspace.ts';

export type { Check } from './doctor/check.ts';

export interface DoctorOptions extends ReadOptions {
  /** The LFS endpoint, where it is not the repository's own. */
  lfs?: string | undefined;
  progress?: Progress;
  clock?: Clock;
}

export interface Diagnosis {
  checks: readonly Check[];
  failed: number;
  warned: number;
}

/** Looks at everything that the product stands on, and changes nothing. Whatever goes wrong is a finding. */
export async function doctor(options: DoctorOptions): Promise<Diagnosis> {
  const { state, signal, progress = () => {}, clock = systemClock } = options;
  const find = (name: string, look: () => Promise<Check | readonly Check[]>) => attempt(name, signal, look);
  progress('looking at this machine');
  const machine = [
    nodeCheck(),
    ...(await find('git', () => gitCheck(signal))),
    ...(await find('git-lfs', () => gitLfsCheck(signal))),
    ...(await find('isolation', () => isolationCheck())),
    ...(await find('disk', () => diskCheck(state))),
  ];
  const kept = [
    ...(await find('state directory', () => stateChecks(state))),
    ...(await find('ports', () => portChecks(state, readControllerFile(state) !== null))),
  ];
  progress('asking the controller and the runtimes');
  let now: Status | null = null;
  const running = await find('controller', async () => {
    const found = await runningChecks({ state, clock, signal });
    now = found.status;
    return found.checks;
  });
  progress('asking the remote');
  const repository = await find('repository', () => repositoryChecks(options, clock, now));
  const checks = [...machine, ...kept, ...repository, ...running];
  const count = (found: Check['state']): number => checks.filter(check => check.state === found).length;
  return { checks, failed: count('FAIL'), warned: count('warn') };
}

async function repositoryChecks(
  options: DoctorOptions,
  clock: Clock,
  status: Status | null,
): Promise<readonly Check[]> {
  const { signal } = options;
  const rights = (await readRights(options)).environment;
  const target = await readingTarget(options, rights).catch(() => null);
  if (target === null)
    return [skip('repository', 'none is known: name it by --repo, or stand in a clone of it')];
  const remote = parseRemoteUrl(target.url, { allowFile: target.isDirectory });
  const credentials = credentialsCheck(remote, options.environment);
  const environment = { ...rights, ...credentialsFor(remote, options.environment).environment };
  await using reader = await openReader({ target, environment, cache: null });
  const looked = await attempt('repository', signal, async () => {
    const look = await reader.look(signal);
    return lookChecks({ options, target, remote, reader, environment, look, status });
  });
  const time = await attempt('clock', signal, () => clockCheck(remote, { clock, signal }));
  return [credentials, ...looked, ...time];
}

interface Looked {
  options: DoctorOptions;
  target: Parameters<typeof branchCheck>[0];
  remote: RemoteUrl;
  reader: Reader;
  environment: Readonly<Record<string, string>>;
  look: Look;
  status: Status | null;
}

async function lookChecks({
  options,
  target,
  remote,
  reader,
  environment,
  look,
  status,
}: Looked): Promise<readonly Check[]> {
  const { signal, lfs } = options;
  const { head, desired } = look;
  const branch = branchCheck(target, look);
  if (head === null) return [branch];
  const authorization = (url: URL): Promise<string | null> =>
    url.protocol === 'https:' ? lfsHeader(url, remote, options, environment) : Promise.resolve(null);
  return [
    branch,
    ...(await attempt('push', signal, () =>
      pushCheck({ target, directory: reader.directory, head, environment, signal }),
    )),
    historyCheck(look, refusedRecord(status)),
    ...(await attempt('lfs', signal, () => lfsCheck({ remote, lfs, look, authorization, signal }))),
    manifestsCheck(desired.problems, target.branch),
    judgeLimits(machineLimits(), askedBytes(look)),
  ];
}

/** The controller's token for the repository's own host and no other, else what the person's helpers know. */
async function lfsHeader(
  url: URL,
  remote: RemoteUrl,
  { environment: given, signal }: DoctorOptions,
  environment: Readonly<Record<string, string>>,
): Promise<string | null> {
  const isOwnHost = URL.parse(remote.url)?.origin === url.origin;
  const own = isOwnHost ? credentialsFor(remote, given).authorization : undefined;
  return own ?? gitCredential(url, { name: '', email: '', environment }, signal);
}

function refusedRecord(status: Status | null): string | null {
  const refused = status?.operations.find(({ kind, state }) => kind === 'record' && state === 'refused');
  return refused?.waits[0]?.what ?? null;
}

function askedBytes({ desired }: Look): number {
  let bytes = 0;
  for (const { deployments } of desired.environments.values())
    for (const { wanted } of deployments.values()) bytes += wanted?.settings.limits.memoryBytes ?? 0;
  return bytes;
}
