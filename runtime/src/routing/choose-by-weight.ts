import type { Backend } from '@switchback-ml/schemas';
import { totalWeight } from './choice.ts';

/**
 * The one of these that a request falls to by weight alone, as where a sibling shall answer for one that failed;
 * `random` is in [0, 1). Undefined when none has any weight.
 */
export function chooseByWeight(backends: readonly Backend[], random: number): Backend | undefined {
  let point = random * totalWeight(backends);
  let last: Backend | undefined;
  for (const backend of backends) {
    if (backend.weight <= 0) continue;
    if (point < backend.weight) return backend;
    point -= backend.weight;
    last = backend;
  }
  // Weights such as 33.3 don't add up exactly: what rounding leaves over is the last one's.
  return last;
}
