import { readFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { EventType } from '@switchback-ml/schemas';
import { Registry } from 'prom-client';
import { openTokens } from './access/tokens.ts';
import type { Actuation } from './actuation/actuation.ts';
import { localProcessActuation } from './actuation/local-process/index.ts';
import { rememberingFailures } from './artifact-failures.ts';
import { systemClock as clock } from './clock.ts';
import { type Config, readConfig } from './config.ts';
import { controlState } from './control-state.ts';
import { credentialsFor } from './credentials.ts';
import { DesiredReader } from './desired-reader.ts';
import { messageOf, SwitchbackError } from './error.ts';
import { failpoints } from './failpoint/failpoints.ts';
import { readLastSeen, rememberLastSeen } from './last-seen.ts';
import { Leadership } from './leadership.ts';
import type { Ledger } from './ledger/ledger.ts';
import { postgresLedger } from './ledger/postgres/index.ts';
import { sqliteLedger } from './ledger/sqlite/index.ts';
import { type Log, makeLog } from './log.ts';
import { LONG_LIVED } from './long-lived.ts';
import type { Observation } from './observation/observation.ts';
import { runtimeCounts } from './observation/runtime-counts/index.ts';
import { OperationRunner } from './operation/runner.ts';
import { pass } from './pass.ts';
import { pinnedArtifacts } from './pinned-artifacts.ts';
import { gitRepository } from './repository/git-cli/index.ts';
import { lfsEndpoint } from './repository/lfs/address.ts';
import { artifactSource } from './repository/lfs/artifact-source.ts';
import { artifactStore } from './repository/lfs/store.ts';
import { throttledProgress } from './repository/lfs/transfer-progress.ts';
import { RepositoryPoller } from './repository/poller.ts';
import { parseRemoteUrl } from './repository/remote-url.ts';
import { Requests } from './requests.ts';
import { Retention } from './retention.ts';
import { Schedule } from './schedule.ts';
import { eventFeed } from './server/event-feed.ts';
import { managementServer } from './server/management-server.ts';
import { announce, choosePort, openStateDirectory } from './state-directory.ts';
import type { World } from './world.ts';

const RUNTIME = fileURLToPath(new URL('../../runtime/src/main.ts', import.meta.url));
const HISTORY_REF = 'refs/switchback/history';
/** Between two passes; counts come every 200 ms from each runtime, so more often tells nothing new. */
const REST_MS = 25;
/** For the first words of adopted runtimes, before anything is decided without them. */
const FIRST_WORDS_MS = 2000;

type Ending = 'stop' | 'leave' | 'fenced';

// Before anything is compiled further; where nothing is to be kept of it this does nothing.
flushCompileCache();
const config = configOrExit();
const log = makeLog(config.logLevel);
try {
  const ending = await run(config, log);
  process.exit(ending === 'fenced' ? 3 : 0);
} catch (error) {
  const code = error instanceof SwitchbackError ? error.code : 'E_INTERNAL';
  log.error({ code, reason: messageOf(error) }, 'the controller can not go on');
  process.exit(1);
}

/** Puts the parts together, from the ledger outwards, and takes them apart in reverse. */
async function run(config: Config, log: Log): Promise<Ending> {
  await using parts = new AsyncDisposableStack();
  const startedAt = clock.now();
  const paths = openStateDirectory(config.state);
  const tokens = openTokens({ directory: config.state });
  const failing = failpoints(process.env, HISTORY_REF);
  const { ledger, onEvents } = eventFeed(
    parts.use(failing.ledger(await openLedger(config, paths.ledger, log))),
  );
  const leadership = parts.use(await Leadership.take({ ledger, holder: paths.holder, clock, log }));
  const epoch = (): number | null => leadership.epoch();

  const { url, branch, root, isDirectory } = config.repository;
  const credentials = credentialsFor(parseRemoteUrl(url, { allowFile: isDirectory }), process.env);
  // Runtimes are started with what is left of the environment.
  delete process.env['SWITCHBACK_GIT_TOKEN'];
  const { environment } = credentials;
  const repository = parts.use(
    failing.repository(
      await gitRepository({ url, directory: paths.repository, allowFile: isDirectory, environment, log }),
    ),
  );
  const port = await choosePort(config);
  const controllerUrl = `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`;
  const actuation = parts.use(
    failing.actuation(
      localProcessActuation({
        command: [process.execPath, ...LONG_LIVED, RUNTIME],
        directory: paths.runtimes,
        controllerUrl,
        tokenFile: paths.runtimeToken,
        redisFile: config.redisFile ?? undefined,
        host: config.host,
        clock,
        log,
      }),
    ),
  );
  const observation = parts.use(
    runtimeCounts({ addresses: () => answering(actuation), token: tokens.runtimeToken, clock }),
  );
  const watch = parts.use(
    new RepositoryPoller({
      repository,
      branch,
      historyRef: HISTORY_REF,
      root,
      intervalMs: config.pollMs,
      clock,
      log,
      hintDirectory: isDirectory ? url : null,
      lastSeen: readLastSeen(paths.lastSeen, { url, branch }),
      lfsEndpoint: config.repository.lfsUrl ?? lfsEndpoint(parseRemoteUrl(url, { allowFile: isDirectory })),
    }),
  );
  rememberLastSeen(paths.lastSeen, { url, branch }, watch, log);
  const state = controlState(await ledger.read());
  const artifacts = parts.use(
    await artifactStore({
      directory: paths.artifacts,
      pins: () => pinnedArtifacts(state, actuation.observe()),
      budgetBytes: config.artifactBudgetBytes,
      onProgress: throttledProgress(on => log.info({ ...on }, 'an artifact is on its way'), clock, 5000),
      clock,
      source: failing.artifacts(
        artifactSource({
          ...config.repository,
          ...credentials,
          commits: repository,
          files: () => watch.latest()?.files ?? new Map(),
        }),
      ),
      log,
    }),
  );

  const given = rememberingFailures(artifacts, clock);

  const metrics = new Registry();
  const requests = new Requests(() => schedule.nudge());
  const reader = new DesiredReader({ onEnvironment: name => void tokens.inferenceKey(name), log });
  const world: World = {
    repository: watch,
    desired: view => reader.read(view),
    actuation,
    observation,
    ledger,
    requests,
    artifactFailures: given.failures,
    keys: tokens.keyHashes,
    clock,
    log,
  };
  const runner = parts.use(
    new OperationRunner({
      repository,
      watch,
      ledger,
      open: state.open,
      desired: () => state.desired,
      heard: () => observation.latest().heard,
      published: () => actuation.observe().published,
      epoch,
      branch,
      root,
      historyRef: HISTORY_REF,
      author: config.author,
      clock,
      log,
    }),
  );
  const end = Promise.withResolvers<Ending>();
  const schedule: Schedule = parts.use(
    new Schedule({
      pass: signal =>
        pass({ world, reader, state, epoch, runner, fenced: () => end.resolve('fenced') }, signal),
      clock,
      restMs: REST_MS,
    }),
  );
  const serverWorld = {
    state,
    repository: watch,
    repositoryUrl: url,
    branch,
    actuation,
    observation,
    ledger,
    onEvents,
    artifacts: given,
    artifactFailures: given.failures,
    requests,
    epoch,
    metrics,
    clock,
    log,
  };
  const server = parts.use(
    await managementServer({ host: config.host, port, world: serverWorld, tokens, version: version() }),
  );

  for (const part of [watch, actuation, observation]) part.onChange(() => schedule.nudge());
  watch.onChange(() => runner.kick());
  const tell = (type: EventType) => tellOfMyself(ledger, epoch(), type);
  await tell('controller.started');
  await firstWords(actuation, observation);
  schedule.start();
  parts.use(announce(config, server.address, startedAt));
  log.info({ address: server.address, repository: url, branch }, 'the controller is up');

  parts.use(new Retention({ ledger, epoch, eventsMs: config.keepEventsMs, clock, log }));

  onEnding(end.resolve);
  const ending = await end.promise;
  if (ending === 'stop') {
    await schedule[Symbol.asyncDispose]();
    await actuation.stopAll(AbortSignal.timeout(15_000));
    await tell('controller.stopped');
  }
  return ending;
}

/** A file of the state directory, or a database whose address the operator's file holds. */
function openLedger(config: Config, file: string, log: Log): Ledger | Promise<Ledger> {
  const { ledgerUrlFile: addressFile, repository: owner } = config;
  if (addressFile === null) return sqliteLedger({ file, log });
  return postgresLedger({ addressFile, owner, clock, random: Math.random, log });
}

async function tellOfMyself(ledger: Ledger, epoch: number | null, type: EventType): Promise<void> {
  const at = clock.now();
  const event = { at, type, subject: 'controller', actor: 'controller', data: { pid: process.pid } };
  if (epoch !== null) await ledger.advance({ epoch, at, events: [event] });
}

/** The token goes to whoever is asked, so only runtimes that are known to live are; each by its own door. */
function answering(actuation: Actuation) {
  const running = actuation.observe().runtimes.filter(({ state }) => state === 'running');
  return running.map(({ environment, address, ownAddress = address }) => ({
    environment,
    address: ownAddress,
  }));
}

/** Adopted runtimes know what they serve; deciding before they were heard could undo it. */
async function firstWords(actuation: Actuation, observation: Observation): Promise<void> {
  const until = clock.now() + FIRST_WORDS_MS;
  while (clock.now() < until) {
    const heard = new Set<unknown>(
      observation.latest().heard.map(({ observation: word }) => word.instanceId),
    );
    if (actuation.observe().runtimes.every(({ instanceId }) => heard.has(instanceId))) return;
    await clock.sleep(25);
  }
}

/** A signal ends everything in order; a parent that died ends only the controller, and runtimes serve on. */
function onEnding(end: (ending: Ending) => void): void {
  process.on('SIGTERM', () => end('stop'));
  process.on('SIGINT', () => end('stop'));
  if (process.stdin.isTTY) return;
  process.stdin.on('error', () => end('leave'));
  process.stdin.on('end', () => end('leave'));
  process.stdin.resume();
}

function version(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
}

function configOrExit(): Readonly<Config> {
  try {
    return readConfig(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`switchback controller: ${messageOf(error)}\n`);
    process.exit(2);
  }
}
