import type { Event } from '@switchback-ml/schemas';
import type { Ledger } from '../ledger/ledger.ts';
import type { OnEvents } from './world.ts';

/** The same ledger, which also tells of every event as soon as it is durable. */
export function eventFeed(ledger: Ledger): { ledger: Ledger; onEvents: OnEvents } {
  const listeners = new Set<(events: readonly Event[]) => void>();
  return {
    ledger: {
      acquire: (holder, ttlMs, now) => ledger.acquire(holder, ttlMs, now),
      renew: (lease, ttlMs, now) => ledger.renew(lease, ttlMs, now),
      release: lease => ledger.release(lease),
      advance: async step => {
        const advanced = await ledger.advance(step);
        if (advanced.kind === 'advanced' && advanced.events.length > 0)
          for (const listener of listeners) listener(advanced.events);
        return advanced;
      },
      read: () => ledger.read(),
      operation: id => ledger.operation(id),
      recentOperations: (subject, since) => ledger.recentOperations(subject, since),
      events: query => ledger.events(query),
      forgetEvents: (epoch, before) => ledger.forgetEvents(epoch, before),
      [Symbol.asyncDispose]: () => ledger[Symbol.asyncDispose](),
    },
    onEvents: listener => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
