import type { EnvironmentName, Problem } from '@switchback-ml/schemas';
import type { DesiredEnvironment } from './desired-state.ts';
import { complain, type PlacedFile } from './placed-file.ts';

const MOST_NAMED = 5;

interface Node {
  environment: Pick<DesiredEnvironment, 'promotesFrom' | 'promotion'>;
  placed: PlacedFile;
}

/** Automation that can never do anything, since nothing comes from nowhere. The first of a line is meant to be so. */
export function idlePromotions(nodes: ReadonlyMap<EnvironmentName, Node>): Problem[] {
  if (nodes.size < 2) return [];
  const upstreams = new Set([...nodes.values()].flatMap(({ environment }) => environment.promotesFrom));
  return [...nodes].flatMap(([name, { environment, placed }]) => {
    const { promotesFrom, promotion } = environment;
    const isAutomatic = promotion.by === 'push' || promotion.by === 'pull-request';
    if (!isAutomatic || promotesFrom.length > 0 || upstreams.has(name)) return [];
    const others = [...nodes.keys()].filter(other => other !== name).slice(0, MOST_NAMED);
    return [
      complain(placed, {
        code: 'W_SETTINGS',
        severity: 'warning',
        field: ['promotion', 'by'],
        message: `is "${promotion.by}", and without promotesFrom nothing is ever promoted into ${name}: it runs what a person releases`,
        remedy: `Add promotesFrom, the environment before it (there are: ${others.join(', ')}), or write by: person.`,
      }),
    ];
  });
}
