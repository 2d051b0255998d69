import { readFileSync } from 'node:fs';
import { type EnvironmentName, LocalTarget } from '@switchback-ml/schemas';
import { messageOf, SwitchbackError } from '../../error.ts';
import type { Action } from '../../plan/action.ts';
import type { Actuation } from '../actuation.ts';
import { ChangeFeed } from '../change-feed.ts';
import { PublishedSnapshots } from '../published-snapshots.ts';
import { KeptEnvironment } from './kept-environment.ts';
import type { LocalProcessActuationOptions } from './options.ts';
import { readProcessRecord, rememberedReplicas } from './process-record.ts';
import { PublishedFiles } from './published-files.ts';

/** What an environment gets that asks for nothing else. */
const ONE = LocalTarget.parse({});

/**
 * The runtimes of each environment, as processes of this machine that outlive the controller. Those that an earlier
 * life left behind are adopted, or replaced if they died, as soon as this is made: hold the lease before.
 */
export function localProcessActuation(options: LocalProcessActuationOptions): Actuation {
  const { directory, log, fetch = globalThis.fetch, platform = process.platform } = options;
  const token = readToken(options.tokenFile);
  const feed = new ChangeFeed();
  const published = new PublishedSnapshots();
  const files = new PublishedFiles(directory, log);
  const kept = new Map<EnvironmentName, KeptEnvironment>();
  const claimed = new Set<number>();
  recall();

  return {
    observe: () => ({
      runtimes: [...kept.values()].flatMap(environment => environment.observe()),
      targets: new Map([...kept].flatMap(([name, { target }]) => (target === null ? [] : [[name, target]]))),
      published: published.latest(),
    }),
    apply,
    snapshot: (environment, generation, signal) => published.next(environment, generation, signal),
    changes: () => feed.drain(),
    onChange: listener => feed.onChange(listener),
    stopAll: async signal => {
      for (const environment of kept.values()) environment.stop('all were stopped', signal);
      await Promise.all([...kept.values()].map(environment => environment.stopped()));
    },
    [Symbol.asyncDispose]: async () => {
      feed.close();
      published.close();
      await Promise.all([...kept.values()].map(environment => environment.close()));
      await files.settled();
    },
  };

  /** Ports first: no environment may be given one that another calls its own. */
  function recall(): void {
    const remembered = rememberedReplicas(directory).map(id => ({
      ...id,
      record: readProcessRecord(directory, id.environment, id.replica),
    }));
    for (const { record } of remembered)
      for (const port of [record?.port, record?.ownPort, record?.grpcPort])
        if (port !== undefined) claimed.add(port);
    for (const { environment, record } of remembered)
      if (record?.process != null && !kept.has(environment)) keep(environment);
    for (const environment of new Set(remembered.map(each => each.environment))) {
      const snapshot = files.read(environment);
      if (snapshot !== null) published.publish(snapshot);
    }
  }

  async function apply(action: Action, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    switch (action.kind) {
      case 'start-runtime':
        return (kept.get(action.environment) ?? keep(action.environment)).want(action.target ?? ONE);
      case 'replace-runtime':
        kept.get(action.environment)?.replace(action.instanceId ?? null, action.reason);
        return;
      case 'stop-runtime':
        return stop(action.environment, action.reason);
      case 'publish-snapshot':
        if (published.publish(action.snapshot)) await files.keep(action.environment, action.snapshot);
        return;
      default:
        return action satisfies never;
    }
  }

  async function stop(environment: EnvironmentName, reason: string): Promise<void> {
    kept.get(environment)?.stop(reason);
    published.withdraw(environment);
    await files.keep(environment, null);
  }

  function runtimesInAll(): number {
    return [...kept.values()].reduce((sum, { size }) => sum + size, 0);
  }

  function keep(environment: EnvironmentName): KeptEnvironment {
    const shared = { ...options, token, claimed, runtimesInAll, fetch, platform, feed };
    const made = new KeptEnvironment({ ...shared, environment });
    kept.set(environment, made);
    return made;
  }
}

function readToken(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    const message = `the token of the runtimes can not be read from ${file} (${messageOf(cause)}); make the file or name another`;
    throw new SwitchbackError('E_CONFIG', message, { cause });
  }
}
