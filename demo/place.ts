import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RemoteServer, remoteServer, seedRepository, up } from '@switchback-ml/controller/command';
import type { Status } from '@switchback-ml/schemas';
import { readRows } from '../bench/replay/rows.ts';
import type { Service } from './observer/observer.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
export const BRANCH = 'main';

/** A running Switchback on the example repository: its remote, its addresses, and how to end it. */
export interface Place extends AsyncDisposable {
  remoteUrl: string;
  state: string;
  address: string;
  operatorToken: string;
  /** Where each environment's requests go; `keyFile` is absolute, and holds `key`. */
  environments: ReadonlyMap<
    string,
    { address: string; key: string; keyFile: string; models: readonly string[] }
  >;
  /** Resolves if the controller's keeper ends without being asked. */
  exited: Promise<unknown>;
}

/** Makes what is missing below `directory` and starts it: bare remote with LFS, controller, one runtime an environment. */
export async function openPlace(directory: string, onProgress: (line: string) => void): Promise<Place> {
  await using stack = new AsyncDisposableStack();
  const remotes = join(directory, 'remote');
  await seedOnce(join(remotes, 'models.git'));
  let nudge = (): void => {};
  const remote = stack.use(await openRemote(directory, remotes, () => nudge()));

  const running = stack.use(
    await up({
      repo: remote.url('models'),
      branch: BRANCH,
      state: directory,
      progress: onChange(onProgress),
    }),
  );
  const operatorToken = readFileSync(join(directory, 'operator-token'), 'utf8').trim();
  nudge = () => void post(`${running.address}/api/v1alpha1/nudge`, operatorToken);

  const environments = environmentsOf(running.status, directory);
  const owned = stack.move();
  return {
    remoteUrl: remote.url('models'),
    state: directory,
    address: running.address,
    operatorToken,
    environments,
    exited: running.exited,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Waits tell the same several times a second; a person wants to hear what changed. */
function onChange(tell: (line: string) => void): (line: string) => void {
  let last = '';
  return line => {
    if (line !== last) tell(line);
    last = line;
  };
}

/** A second start goes on with the repository that the first one made, whatever has been pushed to it since. */
async function seedOnce(bare: string): Promise<void> {
  if (existsSync(bare)) return;
  await seedRepository({
    bare,
    from: join(root, 'examples', 'model-repo'),
    branch: BRANCH,
    message: 'Five models, three environments',
    at: Date.now(),
    author: { name: 'Example', email: 'example@localhost' },
  });
}

/** On the port of the last time, if it is still free: clones and the controller know the remote by its address. */
async function openRemote(directory: string, remotes: string, onPush: () => void): Promise<RemoteServer> {
  const file = join(directory, 'remote-port');
  const port = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  const open = (at: number): Promise<RemoteServer> => remoteServer({ directory: remotes, port: at, onPush });
  const remote = await open(port).catch(error => {
    if (port === 0) throw error;
    return open(0);
  });
  writeFileSync(file, String(remote.address.port));
  return remote;
}

function environmentsOf(status: Status, state: string): Place['environments'] {
  return new Map(
    status.environments.map(({ name, address: at, deployments }) => {
      const keyFile = resolve(state, 'keys', name);
      const key = readFileSync(keyFile, 'utf8').trim();
      const models = deployments.map(({ model }) => model as string);
      return [name as string, { address: at ?? '', key, keyFile, models }];
    }),
  );
}

/** A hint is allowed to get lost: the controller looks by itself. */
async function post(url: string, token: string): Promise<void> {
  try {
    await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(2000),
    });
  } catch {}
}

/** Held-out rows replayed into every model of the example. Of one that somebody added there are none, so it gets none. */
export function servicesOf(
  place: Pick<Place, 'environments'>,
  perSecond: (environment: string, model: string) => number,
): Service[] {
  return [...place.environments].flatMap(([environment, { address, key, models }]) =>
    models.flatMap(model => {
      const rows = RECORDED.get(model)?.[environment === 'prod' ? 'prod' : 'other'];
      return rows
        ? [{ environment, address, key, model, ...rows, perSecond: perSecond(environment, model) }]
        : [];
    }),
  );
}

type Recorded = Pick<Service, 'input' | 'rows'>;

const recorded = (input: string, file: string): Recorded => ({
  input,
  rows: readRows(join(root, 'examples/rows', file)),
});
const everywhere = (rows: Recorded) => ({ prod: rows, other: rows });

/** Of tumours prod meets all, the others what is met every day. */
const TUMOURS = { prod: recorded('features', 'all.csv'), other: recorded('features', 'everyday.csv') };

const RECORDED: ReadonlyMap<string, { prod: Recorded; other: Recorded }> = new Map([
  ...['screening', 'second-opinion', 'triage'].map(model => [model, TUMOURS] as const),
  ['digits', everywhere(recorded('pixels', 'digits.csv'))],
  ['wine', everywhere(recorded('features', 'wine.csv'))],
]);
