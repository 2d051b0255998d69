import { randomBytes } from 'node:crypto';
import type { Problem } from '@switchback-ml/schemas';
import type { Clock } from '../../clock.ts';
import type { RemoteUrl } from '../../repository/remote-url.ts';
import type { RepositoryTarget } from '../workspace/target.ts';
import type { Look } from '../workspace/workspace.ts';
import { type Check, fail, ok, skip, warn } from './check.ts';
import { ask } from './program.ts';

const CLOCK_WITHIN_MS = 10_000;
/** Beyond it tokens with an end, and times in git, begin to be wrong. */
const SKEW_WORTH_A_WORD_MS = 5000;
const MOST_SKEW_MS = 60_000;

/** Which rights the looks below were made with. */
export function credentialsCheck(
  { kind }: Pick<RemoteUrl, 'kind'>,
  environment: Readonly<Record<string, string | undefined>>,
): Check {
  if (kind === 'file') return ok('credentials', 'none are needed for a folder');
  if (kind === 'ssh')
    return environment['SSH_AUTH_SOCK']
      ? ok('credentials', 'an ssh agent is there')
      : warn(
          'credentials',
          'no ssh agent is there; keys in ~/.ssh are used',
          'Start an agent if a key has a passphrase.',
        );
  if (kind === 'http') return ok('credentials', 'none are sent without encryption');
  if (environment['SWITCHBACK_GIT_TOKEN'])
    return ok('credentials', 'SWITCHBACK_GIT_TOKEN is set, and was used for these looks');
  return warn(
    'credentials',
    'SWITCHBACK_GIT_TOKEN is not set: these looks were made with your own rights, the controller would have none',
    'Set SWITCHBACK_GIT_TOKEN where the controller is started, unless the repository is public and never written.',
  );
}

export function branchCheck({ branch, url }: RepositoryTarget, { head, view }: Look): Check {
  if (head !== null)
    return ok('branch', `${branch} of ${url} at ${head.slice(0, 7)} ${view.subject ?? ''}`.trim());
  return fail(
    'branch',
    `${url} answers, and has no branch ${branch}`,
    `Push it, or name another one: --base here, --branch for "switchback up".`,
  );
}

/** Whether the remote lets us in to push. Rules of its branches and hooks are asked at a real push only. */
export async function pushCheck({
  target,
  directory,
  head,
  environment,
  signal,
}: {
  target: RepositoryTarget;
  /** Of the clone. */
  directory: string;
  head: string;
  environment: Readonly<Record<string, string>>;
  signal: AbortSignal;
}): Promise<Check> {
  const ref = `refs/heads/switchback-doctor-${randomBytes(4).toString('hex')}`;
  const { code, stderr } = await ask(
    [
      ...[
        'git',
        '-c',
        'core.hooksPath=/dev/null',
        `--git-dir=${directory}`,
        'push',
        '--dry-run',
        '--porcelain',
      ],
      ...['--no-verify', '--end-of-options', target.url, `${head}:${ref}`],
    ],
    { environment, signal },
  );
  if (code === 0)
    return ok('push', 'the remote lets you in to push (dry run; its branch rules were not asked)');
  const words =
    stderr.split('\n').find(line => /^(?:remote|fatal|error)/.test(line)) ?? 'it did not answer in time';
  return warn(
    'push',
    `the remote does not let you in to push: ${words.slice(0, 300)}`,
    'Give the account the right to push, or rollbacks wait on a branch of nobody: they can not be written to git.',
  );
}

/** @param refused in the words of the remote, when it refused a record; null: it did not */
export function historyCheck({ view }: Look, refused: string | null): Check {
  if (refused !== null)
    return fail(
      'history',
      `the remote refuses refs/switchback/history: ${refused}`,
      'Allow the account of the controller to push to refs/switchback/*.',
    );
  if (view.records.length > 0)
    return ok('history', `${view.records.length} records on refs/switchback/history`);
  return skip('history', 'no rollout has settled yet; refs/switchback/history comes with the first');
}

export function manifestsCheck(problems: readonly Problem[], branch: string): Check {
  const errors = problems.filter(({ severity }) => severity === 'error');
  const [first] = errors.length > 0 ? errors : problems;
  if (!first) return ok('manifests', `all of ${branch} can be read`);
  const place = first.line === undefined ? first.path : `${first.path}:${first.line}`;
  const said = first.message.replace(`${place} `, '').replace(`${first.path} `, '');
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  const remedy = `${first.remedy} All of them: switchback validate, in a clone.`;
  const make = errors.length > 0 ? fail : warn;
  return make('manifests', `${place} ${said}${more}`, remedy);
}

/** This machine's clock against the one of the remote. */
export async function clockCheck(
  remote: RemoteUrl,
  {
    clock,
    signal,
    fetch = globalThis.fetch,
  }: { clock: Clock; signal: AbortSignal; fetch?: typeof globalThis.fetch },
): Promise<Check> {
  if (remote.kind !== 'http' && remote.kind !== 'https')
    return skip('clock', 'only a web remote tells the time');
  const before = clock.now();
  const bound = AbortSignal.any([signal, AbortSignal.timeout(CLOCK_WITHIN_MS)]);
  const response = await fetch(`${remote.url.replace(/\/$/, '')}/info/refs?service=git-upload-pack`, {
    redirect: 'manual',
    signal: bound,
  });
  await response.body?.cancel();
  const after = clock.now();
  const theirs = Date.parse(response.headers.get('date') ?? '');
  if (Number.isNaN(theirs)) return skip('clock', 'the remote does not tell the time');
  return judgeClock(before, after, theirs);
}

/** A Date header has whole seconds, cut off. */
export function judgeClock(before: number, after: number, theirs: number): Check {
  const skewMs = Math.max(0, before - (theirs + 1000), theirs - after);
  if (skewMs <= SKEW_WORTH_A_WORD_MS) return ok('clock', 'agrees with the remote');
  const way = theirs > after ? 'behind' : 'ahead of';
  const said = `${Math.round(skewMs / 1000)} s ${way} the remote`;
  const remedy = 'Let the machine keep its time (NTP).';
  return skewMs > MOST_SKEW_MS ? fail('clock', said, remedy) : warn('clock', said, remedy);
}
