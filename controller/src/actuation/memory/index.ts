import { type EnvironmentName, InstanceId } from '@switchback-ml/schemas';
import type { Actuation, ObservedRuntime } from '../actuation.ts';
import { ChangeFeed } from '../change-feed.ts';
import { PublishedSnapshots } from '../published-snapshots.ts';

export interface MemoryActuation extends Actuation {
  /** The environment's runtime dies and is replaced by a new instance at the same address. */
  lose(environment: EnvironmentName, reason: string): void;
}

/** Runtimes that only seem to run: each is there as soon as it is asked for. */
export function memoryActuation(): MemoryActuation {
  const runtimes = new Map<EnvironmentName, ObservedRuntime>();
  const published = new PublishedSnapshots();
  const feed = new ChangeFeed();
  let started = 0;

  return {
    observe: () => ({
      runtimes: [...runtimes.values()].map(runtime => ({ ...runtime })),
      published: published.latest(),
    }),
    apply: async (action, signal) => {
      signal.throwIfAborted();
      if (action.kind === 'publish-snapshot') published.publish(action.snapshot);
      else if (action.kind === 'stop-runtime') stop(action.environment, action.reason, true);
      else if (action.kind === 'replace-runtime') lose(action.environment, action.reason);
      else if (!runtimes.has(action.environment)) start(action.environment);
    },
    snapshot: (environment, generation, signal) => published.next(environment, generation, signal),
    changes: () => feed.drain(),
    onChange: listener => feed.onChange(listener),
    stopAll: async () => {
      for (const environment of [...runtimes.keys()]) stop(environment, 'all were stopped', false);
    },
    lose,
    [Symbol.asyncDispose]: async () => {
      published.close();
      feed.close();
    },
  };

  function start(environment: EnvironmentName, address?: string): void {
    const pid = 1000 + ++started;
    runtimes.set(environment, {
      environment,
      instanceId: InstanceId.parse(String(started).padStart(8, '0')),
      pid,
      address: address ?? `http://127.0.0.1:${4180 + started}`,
      state: 'running',
    });
    feed.add({ kind: 'started', environment, reason: 'was asked for', pid });
  }

  function lose(environment: EnvironmentName, reason: string): void {
    const lost = runtimes.get(environment);
    if (lost === undefined) return;
    feed.add({ kind: 'lost', environment, reason, pid: lost.pid });
    start(environment, lost.address);
  }

  function stop(environment: EnvironmentName, reason: string, isWithdrawn: boolean): void {
    const stopped = runtimes.get(environment);
    if (isWithdrawn) published.withdraw(environment);
    if (!runtimes.delete(environment)) return;
    feed.add({ kind: 'stopped', environment, reason, pid: stopped?.pid ?? null });
  }
}
