import type { Backend } from '@switchback-ml/schemas';
import type { AppliedRoute } from './apply.ts';
import type { Chosen } from './choice.ts';
import { stickyPoint } from './sticky.ts';

/** What of a request may decide where it goes. */
export interface RoutedRequest {
  /** By its name in lower case; asked for only where a route chooses by headers. */
  header(name: string): string | undefined;
}

/**
 * The backend of one request, and why: a header that the route matches, else the value of the header that it is sticky
 * by, else chance by weight; `random` is in [0, 1). Undefined when no backend has any weight. Makes no object.
 */
export function chooseBackend(
  { choice }: AppliedRoute,
  request: RoutedRequest,
  random: number,
): Chosen | undefined {
  for (const { header, is, chosen } of choice.matches) if (request.header(header) === is) return chosen;
  const value = choice.sticky === null ? undefined : request.header(choice.sticky.header);
  if (choice.sticky === null || value === undefined || value === '')
    return choice.byWeight[indexAt(choice.ends, random)];
  return choice.bySticky[indexAt(choice.ends, stickyPoint(value, choice.sticky.salt))];
}

/**
 * Who shall get a copy of a request that falls to `chosen`, besides; undefined: nobody. Whether it is ready is for the
 * caller to see.
 *
 * @param random in [0, 1), and not the number that chose: that one is no longer evenly spread
 */
export function pickShadow(
  { choice: { shadow } }: AppliedRoute,
  chosen: Backend,
  random: number,
): Backend | undefined {
  if (shadow === null || random >= shadow.ratio) return undefined;
  return shadow.backend.revision === chosen.revision ? undefined : shadow.backend;
}

/** Whose share the point is in. What rounding leaves over is the last one's; -1 where there is none. */
function indexAt(ends: readonly number[], point: number): number {
  const last = ends.length - 1;
  for (let index = 0; index < last; index++) if (point < ends[index]!) return index;
  return last;
}
