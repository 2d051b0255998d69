import { METRICS } from '@switchback-ml/schemas';
import { Registry } from 'prom-client';
import { expose, type Family, type Labels } from '../telemetry/family.ts';
import type { Histogram } from '../telemetry/histogram.ts';
import type { Fleet } from './fleet/fleet.ts';
import type { Group } from './fleet/group.ts';
import { RANKS } from './fleet/health.ts';

export interface GatewayMetrics {
  contentType: string;
  print(): Promise<string>;
}

export interface GatewayMetricsOptions {
  fleet: Fleet;
  clients: () => number;
  heldBytes: () => number;
  /** How often the list of runtimes, or a name in it, could not be used. */
  listingFailures: () => number;
}

const CLASSES = ['gone', '1xx', '2xx', '3xx', '4xx', '5xx'];

/** What the gateway tells Prometheus. Labels are environments and runtimes, as many as are listed. */
export function gatewayMetrics({ fleet, ...own }: GatewayMetricsOptions): GatewayMetrics {
  const registry = new Registry();
  expose(registry, [...requestFamilies(fleet), ...runtimeFamilies(fleet), ...ownFamilies(own)]);
  return { contentType: registry.contentType, print: () => registry.metrics() };
}

function requestFamilies(fleet: Fleet): Family[] {
  return [
    counter(METRICS.gatewayRequests, 'Requests, by what came of them.', () =>
      perGroup(fleet, group => CLASSES.map((result, index) => [{ result }, group.tally.byClass[index]!])),
    ),
    counter(METRICS.gatewayRetries, 'Requests sent to a second runtime, or spared that.', () =>
      perGroup(fleet, ({ tally }) => [
        [{ result: 'sent' }, tally.retries],
        [{ result: 'spared' }, tally.retriesSpared],
      ]),
    ),
    {
      name: METRICS.gatewayRequestSeconds,
      help: 'From a request being there whole to its answer being passed on.',
      type: 'histogram',
      collect: () => histograms(fleet),
    },
    gauge(METRICS.gatewayRequestsWaiting, 'Requests that wait for a runtime with room.', () =>
      perGroup(fleet, group => [[{}, group.waiting]]),
    ),
  ];
}

function runtimeFamilies(fleet: Fleet): Family[] {
  return [
    gauge(METRICS.gatewayRuntimeRequests, 'Requests that a runtime has not answered.', () =>
      perGroup(fleet, ({ members }) =>
        members.map(({ name, outstanding }) => [{ runtime: name }, outstanding]),
      ),
    ),
    gauge(METRICS.gatewayRuntimeConnections, 'Connections for inference to a runtime.', () =>
      perGroup(fleet, ({ members }) =>
        members.map(({ name, connections }) => [{ runtime: name }, connections]),
      ),
    ),
    gauge(METRICS.gatewayRuntimeStanding, '1 for how a runtime stands, 0 for how it does not.', () =>
      perGroup(fleet, ({ members }) =>
        members.flatMap(({ name, standing }) =>
          Object.keys(RANKS).map(
            (each): Series => [{ runtime: name, standing: each }, Number(each === standing)],
          ),
        ),
      ),
    ),
  ];
}

function ownFamilies({
  clients,
  heldBytes,
  listingFailures,
}: Omit<GatewayMetricsOptions, 'fleet'>): Family[] {
  const cpu = (): number => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
  return [
    gauge(METRICS.gatewayClientConnections, 'Connections of clients.', () => [[{}, clients()]]),
    gauge(METRICS.gatewayHeldBytes, 'Of large requests that are held.', () => [[{}, heldBytes()]]),
    counter(
      METRICS.gatewayListingFailures,
      'Times that the list of runtimes, or a name in it, could not be used.',
      () => [[{}, listingFailures()]],
    ),
    counter('process_cpu_seconds_total', 'Processor time of this process.', () => [[{}, cpu()]]),
    gauge('process_resident_memory_bytes', 'Memory of this process.', () => [
      [{}, process.memoryUsage.rss()],
    ]),
  ];
}

type Series = readonly [Labels, number];

function* perGroup(fleet: Fleet, look: (group: Group) => readonly Series[]): Iterable<Series> {
  for (const [environment, group] of fleet.groups)
    for (const [labels, value] of look(group)) yield [{ environment, ...labels }, value];
}

function* histograms(fleet: Fleet): Iterable<readonly [Labels, Histogram]> {
  for (const [environment, group] of fleet.groups) yield [{ environment }, group.tally.seconds];
}

function counter(name: string, help: string, collect: () => Iterable<Series>): Family {
  return { name, help, type: 'counter', collect };
}

function gauge(name: string, help: string, collect: () => Iterable<Series>): Family {
  return { name, help, type: 'gauge', collect };
}
