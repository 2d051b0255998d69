import { type EnvironmentName, InstanceId, LocalTarget } from '@switchback-ml/schemas';
import type { Actuation, ObservedRuntime } from '../actuation.ts';
import { ChangeFeed } from '../change-feed.ts';
import { PublishedSnapshots } from '../published-snapshots.ts';

export interface MemoryActuation extends Actuation {
  /** The environment's runtimes die and are each replaced by a new instance at the same address. */
  lose(environment: EnvironmentName, reason: string): void;
}

/** Of one environment, those that are there, in their order. */
interface Place {
  target: LocalTarget;
  address: string;
  runtimes: ObservedRuntime[];
}

/** Runtimes that only seem to run: each is there as soon as it is asked for. */
export function memoryActuation(): MemoryActuation {
  const places = new Map<EnvironmentName, Place>();
  const published = new PublishedSnapshots();
  const feed = new ChangeFeed();
  let started = 0;

  return {
    observe: () => ({
      runtimes: [...places.values()].flatMap(({ runtimes }) => runtimes.map(runtime => ({ ...runtime }))),
      targets: new Map([...places].map(([environment, { target }]) => [environment, target])),
      published: published.latest(),
    }),
    apply: async (action, signal) => {
      signal.throwIfAborted();
      const { environment } = action;
      if (action.kind === 'publish-snapshot') published.publish(action.snapshot);
      else if (action.kind === 'stop-runtime') stop(environment, action.reason, true);
      else if (action.kind === 'replace-runtime') replace(environment, action.reason, action.instanceId);
      else want(environment, action.target ?? LocalTarget.parse({}));
    },
    snapshot: (environment, generation, signal) => published.next(environment, generation, signal),
    changes: () => feed.drain(),
    onChange: listener => feed.onChange(listener),
    stopAll: async () => {
      for (const environment of [...places.keys()]) stop(environment, 'all were stopped', false);
    },
    lose: (environment, reason) => replace(environment, reason),
    [Symbol.asyncDispose]: async () => {
      published.close();
      feed.close();
    },
  };

  function want(environment: EnvironmentName, target: LocalTarget): void {
    const address = `http://127.0.0.1:${4180 + started}`;
    const place = places.get(environment) ?? { target, address, runtimes: [] };
    places.set(environment, place);
    place.target = target;
    for (const { pid } of place.runtimes.splice(target.runtimes))
      feed.add({ kind: 'stopped', environment, reason: `${target.runtimes} of them are wanted`, pid });
    while (place.runtimes.length < target.runtimes) start(environment, place, place.runtimes.length);
  }

  function start(environment: EnvironmentName, { address, runtimes }: Place, replica: number): void {
    const pid = 1000 + ++started;
    const instanceId = InstanceId.parse(String(started).padStart(8, '0'));
    const ownAddress = `http://127.0.0.1:${5180 + started}`;
    runtimes[replica] = { environment, replica, instanceId, pid, address, ownAddress, state: 'running' };
    feed.add({ kind: 'started', environment, reason: 'was asked for', pid });
  }

  function replace(environment: EnvironmentName, reason: string, only?: InstanceId): void {
    const place = places.get(environment);
    for (const [replica, { instanceId, pid }] of [...(place?.runtimes ?? [])].entries()) {
      if (place === undefined || (only !== undefined && only !== instanceId)) continue;
      feed.add({ kind: 'lost', environment, reason, pid });
      start(environment, place, replica);
    }
  }

  function stop(environment: EnvironmentName, reason: string, isWithdrawn: boolean): void {
    const stopped = places.get(environment)?.runtimes ?? [];
    if (isWithdrawn) published.withdraw(environment);
    places.delete(environment);
    for (const { pid } of stopped) feed.add({ kind: 'stopped', environment, reason, pid });
  }
}
