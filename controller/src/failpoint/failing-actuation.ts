import type { Actuation } from '../actuation/actuation.ts';
import type { Action } from '../plan/action.ts';
import { type Deed, type Failpoint, through } from './failpoint.ts';

const DEEDS: Record<Action['kind'], Deed> = {
  'start-runtime': 'runtime.start',
  'stop-runtime': 'runtime.stop',
  'replace-runtime': 'runtime.stop',
  'publish-snapshot': 'snapshot.publish',
};

/** An actuation whose actions can be cut off before and after. */
export function failingActuation(actuation: Actuation, reach: Failpoint): Actuation {
  return {
    observe: () => actuation.observe(),
    apply: (action, signal) => through(reach, DEEDS[action.kind], () => actuation.apply(action, signal)),
    snapshot: (...args) => actuation.snapshot(...args),
    changes: () => actuation.changes(),
    onChange: listener => actuation.onChange(listener),
    stopAll: signal => actuation.stopAll(signal),
    [Symbol.asyncDispose]: () => actuation[Symbol.asyncDispose](),
  };
}
