import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Outcome,
  type Running,
  register,
  remoteServer,
  seedRepository,
  status,
  up,
} from '@switchback-ml/controller/command';
import { type DeploymentStatus, ModelName, VersionLabel } from '@switchback-ml/schemas';
import { readRows } from '../../bench/replay/rows.ts';
import type { SeenEvent } from '../../demo/observer/event-watch.ts';
import { GitWatch } from '../../demo/observer/git-watch.ts';
import { Observer, type Service } from '../../demo/observer/observer.ts';
import { BRANCH } from '../../demo/place.ts';
import { Shipper } from './frameworks-person.fixture.ts';
import { candidateFolder, EXAMPLES, type Framed, MODELS } from './frameworks-samples.fixture.ts';

const REQUEST_WITHIN_MS = 10_000;
const REGISTER_WITHIN_MS = 60_000;
const PER_SECOND = 40;
export const PATIENCE_MS = 60_000;

export type EnvironmentLabel = 'dev' | 'prod';

export interface Answer {
  version: string | null;
  data: readonly number[];
}

/** A Switchback that runs what PyTorch and Keras trained, in dev and prod, under replayed rows. */
export interface Place extends AsyncDisposable {
  observer: Observer;
  shipper: Shipper;
  register(candidate: string, model: Framed, version: string): Promise<Outcome>;
  deployment(environment: EnvironmentLabel, model: Framed): Promise<DeploymentStatus | undefined>;
  /** What prod answers to one row. */
  ask(model: Framed, row: readonly number[]): Promise<Answer>;
}

/** With 1.0.0 baked everywhere. */
export async function openPlace(): Promise<Place> {
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'switchback-frameworks-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  await seed(directory);
  let nudge = (): void => {};
  const remotes = join(directory, 'remote');
  const remote = stack.use(await remoteServer({ directory: remotes, onPush: () => nudge() }));
  const url = remote.url('models');
  const state = join(directory, 'state');
  const running = stack.use(await up({ repo: url, branch: BRANCH, state }));
  const token = await secret(state, 'operator-token');
  nudge = () => void hint(running.address, token);
  const git = await GitWatch.clone(url, join(directory, 'observer'), BRANCH);
  const services = await servicesOf(running, state);
  const observer = new Observer(git, services, { address: running.address, token });
  stack.defer(() => observer.stop());
  const shipper = await Shipper.clone(url, join(directory, 'shipper'));
  for (const model of Object.keys(MODELS) as Framed[])
    for (const environment of ['dev', 'prod'] as const)
      await observer.event('1.0.0', on(environment, model, 'rollout.baked', '1.0.0'), PATIENCE_MS);
  const prodKey = await secret(state, 'keys', 'prod');
  const owned = stack.move();
  return {
    observer,
    shipper,
    register: (candidate, model, version) => registerCandidate(url, directory, candidate, model, version),
    deployment: async (environment, model) => {
      const now = await status({ state, signal: AbortSignal.timeout(REQUEST_WITHIN_MS) });
      const { deployments = [] } = now.environments.find(({ name }) => name === environment) ?? {};
      return deployments.find(deployment => deployment.model === model);
    },
    ask: (model, row) => infer(running, prodKey, model, row),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Whether an event is of this type and tells of this version there. */
export const on =
  (environment: EnvironmentLabel, model: Framed, type: string, version: string) =>
  (event: SeenEvent): boolean =>
    event.type === type && event.subject === `${environment}/${model}` && event.data['version'] === version;

async function seed(directory: string): Promise<void> {
  const from = join(directory, 'folder');
  const models = join(from, 'models');
  await cp(join(EXAMPLES, 'model-repo', 'models'), models, { recursive: true });
  for (const model of await readdir(models))
    if (!(model in MODELS)) await rm(join(models, model), { recursive: true });
  for (const model of Object.keys(MODELS))
    await cp(
      join(EXAMPLES, 'model-repo', 'environments', 'prod', model),
      join(from, 'environments', 'prod', model),
      { recursive: true },
    );
  for (const [name, text] of Object.entries(ENVIRONMENTS)) {
    await mkdir(join(from, 'environments', name), { recursive: true });
    await writeFile(join(from, 'environments', name, 'environment.yaml'), text);
  }
  await seedRepository({
    bare: join(directory, 'remote', 'models.git'),
    from,
    branch: BRANCH,
    message: 'Two frameworks, two environments',
    at: Date.now(),
    author: { name: 'Example', email: 'example@localhost' },
  });
}

function registerCandidate(
  repo: string,
  directory: string,
  candidate: string,
  model: Framed,
  version: string,
): Promise<Outcome> {
  const folder = candidateFolder(candidate);
  const request = {
    file: join(folder, 'model.onnx'),
    model: ModelName.parse(model),
    folder: model,
    version: VersionLabel.parse(version),
    samples: join(folder, 'samples.csv'),
    rows: 'public' as const,
    facts: { facts: join(folder, 'facts.json') },
  };
  const environment = { ...process.env, GIT_AUTHOR_NAME: 'Mei', GIT_AUTHOR_EMAIL: 'mei@localhost' };
  const signal = AbortSignal.timeout(REGISTER_WITHIN_MS);
  return register(request, { repo, state: join(directory, 'author'), directory, environment, signal });
}

async function servicesOf({ status: { environments } }: Running, state: string): Promise<Service[]> {
  const services = environments.map(async ({ name, address, deployments }) => {
    const key = await secret(state, 'keys', name);
    return deployments.map(({ model }) => {
      const { input, rows } = MODELS[model as Framed];
      return {
        environment: name as string,
        address: address ?? '',
        key,
        model: model as string,
        input,
        rows: readRows(join(EXAMPLES, 'rows', rows)),
        perSecond: PER_SECOND,
      };
    });
  });
  return (await Promise.all(services)).flat();
}

async function infer(
  { status: { environments } }: Running,
  key: string,
  model: Framed,
  row: readonly number[],
): Promise<Answer> {
  const address = environments.find(({ name }) => name === 'prod')?.address;
  const input = { name: MODELS[model].input, datatype: 'FP32', shape: [1, row.length], data: row };
  const response = await fetch(`${address}/v2/models/${model}/infer`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ inputs: [input] }),
    signal: AbortSignal.timeout(REQUEST_WITHIN_MS),
  });
  const { outputs } = (await response.json()) as { outputs: { data: number[] }[] };
  return { version: response.headers.get('x-switchback-version'), data: outputs[0]?.data ?? [] };
}

async function secret(state: string, ...name: string[]): Promise<string> {
  return (await readFile(join(state, ...name), 'utf8')).trim();
}

/** A hint is allowed to get lost. */
async function hint(address: string, token: string): Promise<void> {
  try {
    await fetch(`${address}/api/v1alpha1/nudge`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(2000),
    });
  } catch {}
}

const HEAD = `apiVersion: switchback/v1alpha1
kind: Environment
target: { local: {} }
mode: act
`;

/** Judged by what is answered, not by how fast: the machine that tests may be busy. */
const ENVIRONMENTS = {
  dev: `${HEAD}promotion: { by: newest }
defaults:
  objectives: { available: { target: 99%, breach: rollback } }
  rollout: { bake: { for: 500ms, requests: 10 } }
`,
  prod: `${HEAD}promotesFrom: dev
promotion: { by: push }
gates: { soak: { for: 500ms, requests: 10 }, evaluation: { auc: { worseBy: 0.005 } } }
rollback: { write: push-else-pull-request, atMost: 9 per 1h }
defaults:
  objectives: { available: { target: 99%, breach: rollback } }
  rollout:
    canary:
      steps: [{ weight: 50, for: 500ms, requests: 20 }]
      undecided: { after: 10m, then: page }
    bake: { for: 500ms, requests: 20 }
`,
} as const;
