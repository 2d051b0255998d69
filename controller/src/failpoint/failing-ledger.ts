import type { Advance, Ledger } from '../ledger/ledger.ts';
import { DEEDS, type Deed, type Failpoint, through } from './failpoint.ts';

/** A ledger whose writes can be cut off before and after; each step has the name of the operation it moves on. */
export function failingLedger(ledger: Ledger, reach: Failpoint): Ledger {
  return {
    acquire: (...args) => through(reach, 'lease.acquire', () => ledger.acquire(...args)),
    renew: (...args) => through(reach, 'lease.renew', () => ledger.renew(...args)),
    advance: step => through(reach, deedOf(step), () => ledger.advance(step)),
    release: lease => ledger.release(lease),
    read: () => ledger.read(),
    operation: id => ledger.operation(id),
    recentOperations: (...args) => ledger.recentOperations(...args),
    events: query => ledger.events(query),
    forgetEvents: (epoch, before) => ledger.forgetEvents(epoch, before),
    [Symbol.asyncDispose]: () => ledger[Symbol.asyncDispose](),
  };
}

function deedOf({ operations = [] }: Advance): Deed {
  const deeds = operations.map(({ record }) => `${record.kind}.${record.state}`);
  // The rarest first: a step that remembers several intents has one name.
  return DEEDS.find(deed => deeds.includes(deed)) ?? 'cycle.remember';
}
