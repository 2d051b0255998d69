import type { EnvironmentName, Problem } from '@switchback-ml/schemas';
import { hint, nearest } from './nearest.ts';
import { complain, type PlacedFile } from './placed-file.ts';

const LONGEST_CIRCLE = 10;

interface Node {
  environment: { promotesFrom: readonly EnvironmentName[] };
  placed: PlacedFile;
}

export interface PromotionOrder {
  /** Each after those it promotes from. */
  ordered: readonly EnvironmentName[];
  /** Of a circle, or promoting from nowhere. */
  broken: readonly EnvironmentName[];
  problems: readonly Problem[];
}

/**
 * Sorts environments after those they promote from; unknown names and circles are reported and left broken. Keeps its
 * trail in a list of its own: a chain may be as long as somebody likes.
 *
 * @param unread environments that are there and can't be read; promoting from one is no mistake
 */
export function promotionOrder(
  nodes: ReadonlyMap<EnvironmentName, Node>,
  unread: ReadonlySet<EnvironmentName>,
): PromotionOrder {
  const ordered = new Set<EnvironmentName>();
  const broken = new Set<EnvironmentName>();
  const problems: Problem[] = [];
  const isSettled = (name: EnvironmentName): boolean =>
    ordered.has(name) || broken.has(name) || !nodes.has(name);

  for (const start of nodes.keys()) {
    if (isSettled(start)) continue;
    const trail = [start];
    const toVisit = new Map([[start, upstreamsOf(start)]]);
    for (let name = trail.at(-1); name !== undefined; name = trail.at(-1)) {
      const upstream = toVisit.get(name)?.pop();
      if (upstream === undefined) {
        trail.pop();
        toVisit.delete(name);
        if (!broken.has(name)) ordered.add(name);
      } else if (isSettled(upstream)) continue;
      else if (toVisit.has(upstream)) breakCircle(trail.slice(trail.indexOf(upstream)));
      else {
        trail.push(upstream);
        toVisit.set(upstream, upstreamsOf(upstream));
      }
    }
  }
  return { ordered: [...ordered], broken: [...broken], problems };

  /** Still to be visited, last one first; those that are nowhere are told. */
  function upstreamsOf(name: EnvironmentName): EnvironmentName[] {
    const {
      environment: { promotesFrom },
      placed,
    } = nodes.get(name)!;
    for (const upstream of promotesFrom) {
      if (nodes.has(upstream) || unread.has(upstream)) continue;
      broken.add(name);
      problems.push(
        complain(placed, {
          code: 'E_REFERENCE',
          field: ['promotesFrom'],
          message: `names "${upstream}", which is no environment`,
          remedy: hint(nearest(upstream, nodes.keys()), 'Name an environment that has a folder.'),
        }),
      );
    }
    return promotesFrom.toReversed();
  }

  function breakCircle(circle: readonly EnvironmentName[]): void {
    const [first] = circle;
    if (first === undefined) return;
    const shown = [
      ...circle.slice(0, LONGEST_CIRCLE),
      ...(circle.length > LONGEST_CIRCLE ? ['…'] : []),
      first,
    ];
    problems.push(
      complain(nodes.get(first)!.placed, {
        code: 'E_CYCLE',
        field: ['promotesFrom'],
        message: `environments promote in a circle: ${shown.join(' ← ')}`,
        remedy: 'Remove one promotesFrom of the circle.',
      }),
    );
    for (const member of circle) broken.add(member);
  }
}
