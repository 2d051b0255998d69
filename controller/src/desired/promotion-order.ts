import type { EnvironmentName } from '@switchback-ml/schemas';
import type { DesiredEnvironment } from './desired-state.ts';
import { nearest } from './nearest.ts';
import type { Reading } from './reading.ts';

type Named = Map<EnvironmentName, DesiredEnvironment>;

/** Sorts environments after those they promote from; unknown names and cycles are reported and left broken. */
export function inPromotionOrder(
  reading: Reading,
  environments: Named,
  broken: Set<EnvironmentName>,
): { environments: Named; broken: Set<EnvironmentName> } {
  const ordered: Named = new Map();
  const path = (name: EnvironmentName): string => `environments/${name}/environment.yaml`;

  const visit = (name: EnvironmentName, trail: readonly EnvironmentName[]): void => {
    const environment = environments.get(name);
    if (!environment || ordered.has(name) || broken.has(name)) return;
    if (trail.includes(name)) {
      const cycle = [...trail.slice(trail.indexOf(name)), name];
      reading.report(
        'E_CYCLE',
        path(name),
        `environments promote in a circle: ${cycle.join(' ← ')}`,
        'Remove one promotesFrom of the circle.',
      );
      for (const member of cycle) broken.add(member);
      return;
    }
    for (const upstream of environment.promotesFrom) {
      if (!environments.has(upstream) && !broken.has(upstream)) {
        const near = nearest(upstream, environments.keys());
        reading.report(
          'E_REFERENCE',
          path(name),
          `promotesFrom names "${upstream}", which is no environment`,
          near ? `Did you mean "${near}"?` : 'Name an environment that has a folder.',
        );
        broken.add(name);
      }
      visit(upstream, [...trail, name]);
    }
    if (!broken.has(name)) ordered.set(name, environment);
  };

  for (const name of environments.keys()) visit(name, []);
  return { environments: ordered, broken };
}
