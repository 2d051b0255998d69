import type { ToldEvent } from '../../faults/world/chronicle.ts';
import type { Seen } from './figures.ts';

const ALARMS: readonly string[] = ['verdict.degraded', 'verdict.page', 'rollout.undecided', 'rollout.halted'];

/** What was said against a version that nobody had meant to be found bad. */
export function alarmsOf({ events, badVersions }: Pick<Seen, 'events' | 'badVersions'>): ToldEvent[] {
  return events.filter(({ type, subject, data }) => {
    const model = subject.slice(subject.indexOf('/') + 1);
    return ALARMS.includes(type) && !badVersions.has(`${model} ${String(data['version'])}`);
  });
}
