import type { Backend, ModelName, Route } from '@switchback-ml/schemas';
import { stickySalt } from './sticky.ts';

/** A backend, and why requests come to it. Those of a match were sent there and are no sample: they enter no verdict. */
export interface Chosen {
  readonly backend: Backend;
  readonly by: 'weight' | 'sticky' | 'match';
}

/** All of a route that decides where its requests go; made once when it is applied, read by each request. */
export interface Choice {
  matches: readonly { header: string; is: string; chosen: Chosen }[];
  /** Null: each request by itself. */
  sticky: { header: string; salt: number } | null;
  /** Backends with any weight, in the order of the route, and up to where in [0, 1] the share of each goes. */
  ends: readonly number[];
  byWeight: readonly Chosen[];
  bySticky: readonly Chosen[];
  /** Null: nobody gets copies. `ratio` is of the requests that it does not get anyway. */
  shadow: { backend: Backend; ratio: number } | null;
}

/**
 * @param backends of the route, those that answer; the candidate, if there is one, is the last of the route. So it
 *   is at the far end of the shares: as its weight rises it only takes from its neighbour, and gives back when it falls.
 */
export function choiceOf(model: ModelName, route: Route, backends: readonly Backend[]): Choice {
  const weighted = backends.filter(({ weight }) => weight > 0);
  const total = totalWeight(weighted);
  return {
    matches: matchesOf(route, backends),
    sticky: weighted.length > 1 ? stickyOf(model, route) : null,
    ends: weighted.map((_, index) => totalWeight(weighted.slice(0, index + 1)) / total),
    byWeight: weighted.map(backend => ({ backend, by: 'weight' })),
    bySticky: weighted.map(backend => ({ backend, by: 'sticky' })),
    shadow: shadowOf(backends, total),
  };
}

export function totalWeight(backends: readonly Backend[]): number {
  return backends.reduce((sum, backend) => sum + backend.weight, 0);
}

/** One whose revision is not among those that answer is as if it were not there. */
function matchesOf({ match }: Route, backends: readonly Backend[]): Choice['matches'] {
  return (match ?? []).flatMap(({ header, is, revision }) => {
    const backend = backends.find(one => one.revision === revision);
    return backend && is !== '' ? [{ header, is, chosen: { backend, by: 'match' } }] : [];
  });
}

/** The newest revision is in the salt, so that it is not always the same callers who get a candidate first. */
function stickyOf(model: ModelName, { stickyBy, backends }: Route): Choice['sticky'] {
  if (stickyBy === undefined) return null;
  return { header: stickyBy.header, salt: stickySalt(`${model}/${backends.at(-1)?.revision}`) };
}

/** A share of all requests is a larger one of those that the backend does not get anyway. */
function shadowOf(backends: readonly Backend[], total: number): Choice['shadow'] {
  const backend = backends.findLast(({ shadow }) => shadow !== undefined && shadow > 0);
  if (backend === undefined) return null;
  const others = total - backend.weight;
  return others <= 0 ? null : { backend, ratio: (((backend.shadow ?? 0) / 100) * total) / others };
}
