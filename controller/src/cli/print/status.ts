import type {
  Condition,
  DeploymentStatus,
  EnvironmentStatus,
  Problem,
  RuntimeStatus,
  Status,
  Wait,
} from '@switchback-ml/schemas';
import { plain } from '@switchback-ml/schemas';
import { clockTime, duration } from './age.ts';
import { table } from './table.ts';

/** How everything stands, compact: what is well takes a line, what is not says what to do. */
export function statusText(status: Status): string {
  const blocks = [
    headText(status),
    ...status.environments.map(environment => environmentText(environment, status.at)),
    operationsText(status),
    problemsText(status.problems),
  ];
  return `${blocks.filter(block => block !== '').join('\n\n')}\n`;
}

function headText({ address, repository }: Status): string {
  const { url, branch, commit, subject, ageMs, failure } = repository;
  const revision = commit === null ? 'no commit yet' : `${commit.slice(0, 7)} ${subject ?? ''}`;
  const age = ageMs === null ? 'never reached' : `reached ${duration(ageMs)} ago`;
  return table([
    ['controller', address],
    ['repository', `${url}  ${branch}  ${age}`],
    ['revision', revision.trim()],
    ...(failure === null ? [] : [['failure', failure]]),
  ]);
}

function environmentText(
  { name, address, grpcAddress, runtimes = [], mode, promotesFrom, deployments }: EnvironmentStatus,
  now: number,
): string {
  const from = promotesFrom.length > 0 ? `from ${promotesFrom.join(', ')}` : '';
  const grpc = grpcAddress === undefined ? '' : `gRPC ${grpcAddress}`;
  const where = [name, address ?? 'no runtime', grpc, mode, from].filter(part => part !== '');
  const head = [plain(where.join('  ')), ...runtimesLine(runtimes)].join('\n');
  if (deployments.length === 0) return `${head}\n  nothing is deployed`;
  const rows = table(deployments.map(deploymentRow), '  ').split('\n');
  const lines = deployments.flatMap((deployment, index) => [
    rows[index] ?? '',
    ...detailLines(deployment, now),
  ]);
  return [head, ...lines].join('\n');
}

/** Of several, who they are. */
function runtimesLine(runtimes: readonly RuntimeStatus[]): string[] {
  if (runtimes.length < 2) return [];
  return [`  ${plain(runtimes.map(({ name, address, state }) => `${name} ${state} ${address}`).join(', '))}`];
}

function deploymentRow({
  model,
  version,
  phase,
  backends,
  verdict,
  paused,
  waits,
}: DeploymentStatus): string[] {
  const served = backends
    .filter(({ weight, role }) => weight > 0 || role === 'candidate')
    .map(backend => {
      const state = backend.state === 'ready' ? '' : ` ${backend.state}`;
      return `${backend.version} ${backend.weight} %${state}`;
    });
  const what = served.length > 0 ? served.join(', ') : `${version ?? 'nothing'} not served yet`;
  return [model, what, paused ? `${phase}, paused` : phase, verdictText(verdict, waits)];
}

/** The reason stands here unless a wait below gives it anyway. */
function verdictText(verdict: DeploymentStatus['verdict'], waits: readonly Wait[]): string {
  if (verdict === null) return '';
  const isSaid = verdict.verdict === 'healthy' || waits.some(({ what }) => what.includes(verdict.reason));
  return isSaid ? verdict.verdict : `${verdict.verdict}: ${verdict.reason}`;
}

function detailLines({ backends, conditions, waits }: DeploymentStatus, now: number): string[] {
  const failures = backends.flatMap(({ version, failure }) =>
    failure === undefined ? [] : [plain(`    ! ${version} failed: ${failure}`)],
  );
  const notable = conditions
    .filter(isNotable)
    .map(({ type, reason, message }) => plain(`    ! ${type}, ${reason}: ${message}`));
  return [...failures, ...notable, ...waits.flatMap(wait => waitLines(wait, now))];
}

/** Ready is worth a line when it isn't, the others when they are; Reconciling is what waits say better. */
function isNotable({ type, status }: Condition): boolean {
  if (type === 'Reconciling') return false;
  return type === 'Ready' ? !status : status;
}

/** The five answers: what, since when, until when, who, with which command. */
export function waitLines({ what, since, until, who, command }: Wait, now: number): string[] {
  const end =
    until === null
      ? 'no deadline'
      : `until ${clockTime(until, now)} (${until > now ? `in ${duration(until - now)}` : 'overdue'})`;
  return [
    `    … ${plain(what)}`,
    `      since ${clockTime(since, now)} (${duration(now - since)}), ${end}; moved by ${plain(who)}: ${plain(command)}`,
  ];
}

function operationsText({ operations, at }: Status): string {
  if (operations.length === 0) return '';
  const lines = operations.flatMap(({ subject, kind, state, summary, waits }) => [
    plain(`  ${subject} ${kind} ${state}: ${summary}`),
    ...waits.flatMap(wait => waitLines(wait, at)),
  ]);
  return ['writing to git', ...lines].join('\n');
}

export function problemsText(problems: readonly Problem[]): string {
  return problems.map(problemLine).join('\n');
}

/** `path:line: what is wrong. What to do.`, as editors and CI understand it. */
export function problemLine({ path, line, severity, message, remedy, code }: Problem): string {
  const place = line === undefined ? path : `${path}:${line}`;
  const said = message.startsWith(`${place} `)
    ? message.slice(place.length + 1)
    : message.replace(`${path} `, '');
  return plain(`${place}: ${severity}: ${said}. ${remedy} [${code}]`);
}
