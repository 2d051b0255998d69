import { readFileSync } from 'node:fs';
import type { EnvironmentName } from '@switchback-ml/schemas';
import { messageOf, SwitchbackError } from '../../error.ts';
import type { Action } from '../../plan/action.ts';
import type { Actuation } from '../actuation.ts';
import { ChangeFeed } from '../change-feed.ts';
import { PublishedSnapshots } from '../published-snapshots.ts';
import { KeptRuntime } from './kept-runtime.ts';
import type { LocalProcessActuationOptions } from './options.ts';
import { readProcessRecord, rememberedEnvironments } from './process-record.ts';
import { PublishedFiles } from './published-files.ts';

/**
 * One runtime per environment, as processes of this machine that outlive the controller. Those that an earlier
 * life left behind are adopted, or replaced if they died, as soon as this is made: hold the lease before.
 */
export function localProcessActuation(options: LocalProcessActuationOptions): Actuation {
  const { directory, log, fetch = globalThis.fetch } = options;
  const token = readToken(options.tokenFile);
  const feed = new ChangeFeed();
  const published = new PublishedSnapshots();
  const files = new PublishedFiles(directory, log);
  const kept = new Map<EnvironmentName, KeptRuntime>();
  const claimed = new Set<number>();
  recall();

  return {
    observe: () => ({
      runtimes: [...kept.values()].flatMap(runtime => runtime.observe() ?? []),
      published: published.latest(),
    }),
    apply,
    snapshot: (environment, generation, signal) => published.next(environment, generation, signal),
    changes: () => feed.drain(),
    onChange: listener => feed.onChange(listener),
    stopAll: async signal => {
      for (const runtime of kept.values()) runtime.stop('all were stopped', signal);
      await Promise.all([...kept.values()].map(runtime => runtime.stopped()));
    },
    [Symbol.asyncDispose]: async () => {
      feed.close();
      published.close();
      await Promise.all([...kept.values()].map(runtime => runtime.close()));
      await files.settled();
    },
  };

  /** Ports first: no environment may be given one that another calls its own. */
  function recall(): void {
    const environments = rememberedEnvironments(directory);
    const records = environments.map(environment => readProcessRecord(directory, environment));
    for (const record of records) if (record !== null) claimed.add(record.port);
    for (const [index, environment] of environments.entries()) {
      if (records[index]?.process != null) keep(environment);
      const snapshot = files.read(environment);
      if (snapshot !== null) published.publish(snapshot);
    }
  }

  async function apply(action: Action, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    switch (action.kind) {
      case 'start-runtime':
        return (kept.get(action.environment) ?? keep(action.environment)).want();
      case 'replace-runtime':
        kept.get(action.environment)?.replace(action.reason);
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

  function keep(environment: EnvironmentName): KeptRuntime {
    const remembered = readProcessRecord(directory, environment);
    const runtime = new KeptRuntime({ ...options, environment, remembered, token, claimed, fetch, feed });
    kept.set(environment, runtime);
    return runtime;
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
