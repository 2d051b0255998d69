import { type EventType, METRICS, RolloutPhase } from '@switchback-ml/schemas';
import { Counter, Gauge } from 'prom-client';
import { phaseOf } from '../registry/conditions.ts';
import type { ServerWorld } from './world.ts';

const VERDICT_EVENTS: Partial<Record<EventType, string>> = {
  'verdict.degraded': 'degraded',
  'verdict.page': 'page',
  'verdict.recovered': 'recovered',
};

type Measured = Pick<ServerWorld, 'state' | 'repository' | 'observation' | 'onEvents' | 'metrics' | 'clock'>;

/** Registers what is read off the controller's state whenever Prometheus asks. Gives back how to stop counting. */
export function measure(world: Measured): () => void {
  ageGauges(world);
  stateGauges(world);
  const verdicts = new Counter({
    name: METRICS.verdicts,
    help: 'Verdicts that changed, by what they changed to.',
    labelNames: ['verdict'],
    registers: [world.metrics],
  });
  return world.onEvents(events => {
    for (const { type } of events) {
      const verdict = VERDICT_EVENTS[type];
      if (verdict !== undefined) verdicts.inc({ verdict });
    }
  });
}

/** An age that is not known is left out, never 0: an alert on a large age must not be soothed by it. */
function ageGauges({ repository, observation, metrics, clock }: Measured): void {
  new Gauge({
    name: METRICS.repositoryAgeSeconds,
    help: 'Seconds since the remote was last reached.',
    registers: [metrics],
    collect() {
      const { reachedAt } = repository.contact();
      this.remove();
      if (reachedAt !== null) this.set((clock.now() - reachedAt) / 1000);
    },
  });
  new Gauge({
    name: METRICS.observationAgeSeconds,
    help: 'Seconds since any runtime of the environment was last heard.',
    labelNames: ['environment'],
    registers: [metrics],
    collect() {
      this.reset();
      const newest = new Map<string, number>();
      for (const { environment, heardAt } of observation.latest().heard)
        newest.set(environment, Math.max(heardAt, newest.get(environment) ?? heardAt));
      for (const [environment, heardAt] of newest) this.set({ environment }, (clock.now() - heardAt) / 1000);
    },
  });
}

function stateGauges({ state, metrics }: Measured): void {
  new Gauge({
    name: METRICS.rollouts,
    help: 'Deployments by the phase of their rollout.',
    labelNames: ['phase'],
    registers: [metrics],
    collect() {
      for (const phase of RolloutPhase.options) this.set({ phase }, 0);
      const goingBack = new Set(state.open.rollbacks().map(({ subject }) => subject));
      for (const [subject, rollout] of state.rollouts)
        this.inc({ phase: phaseOf({ rollout, rollback: goingBack.has(subject) }) });
    },
  });
  new Gauge({
    name: METRICS.operationsOpen,
    help: 'Changes of git that are under way or wait.',
    labelNames: ['kind'],
    registers: [metrics],
    collect() {
      for (const kind of ['rollback', 'promotion', 'record']) this.set({ kind }, 0);
      for (const { kind } of state.open.list()) this.inc({ kind });
    },
  });
}
