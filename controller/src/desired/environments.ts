import type { EnvironmentName, Problem } from '@switchback-ml/schemas';
import type { DesiredEnvironment } from './desired-state.ts';
import { readEnvironment } from './environment.ts';
import type { EnvironmentGroups } from './groups.ts';
import { idlePromotions } from './idle-promotion.ts';
import type { Recall } from './memory.ts';
import type { Models } from './models.ts';
import type { PlacedFile } from './placed-file.ts';
import { promotionOrder } from './promotion-order.ts';
import type { Hidden } from './strays.ts';
import { type Told, toldOnce } from './told-once.ts';

export interface Environments {
  /** In promotion order. */
  environments: ReadonlyMap<EnvironmentName, DesiredEnvironment>;
  broken: ReadonlySet<EnvironmentName>;
  problems: readonly Problem[];
}

export interface EnvironmentsInput {
  groups: ReadonlyMap<EnvironmentName, EnvironmentGroups>;
  models: Models;
  hidden: Hidden;
}

export function readEnvironments(
  { groups, models, hidden }: EnvironmentsInput,
  recall: Recall,
): Environments {
  const told: Told[] = [];
  const unread = new Set(hidden.environments);
  const found = new Map<EnvironmentName, { environment: DesiredEnvironment; placed: PlacedFile }>();
  for (const [name, group] of groups) {
    const { byName, names } = models;
    const inputs = [group, byName, names, hidden.models];
    const read = recall.part(`environment ${name}`, inputs, below =>
      readEnvironment({ name, group, models: { byName, names }, isHidden: hidden.models }, below()),
    );
    told.push({ environment: name, problems: read.problems });
    if (read.environment && read.placed && !unread.has(name))
      found.set(name, { environment: read.environment, placed: read.placed });
    else unread.add(name);
  }
  const once = recall.part(
    'told once',
    told.map(({ problems }) => problems),
    () => toldOnce(told),
  );
  const order = promotionOrder(found, unread);
  // While an environment is in doubt, so is who stands first.
  const idle = order.problems.length === 0 && unread.size === 0 ? idlePromotions(found) : [];
  const environments = new Map(order.ordered.map(name => [name, found.get(name)!.environment]));
  return {
    environments: recall.part('environments', [...environments.values()], () => environments),
    broken: new Set([...unread, ...order.broken]),
    problems: [...once, ...order.problems, ...idle],
  };
}
