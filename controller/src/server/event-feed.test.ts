import { describe, expect, test } from 'vitest';
import { ledgerContract } from '../ledger/ledger.contract.ts';
import { memoryLedger } from '../ledger/memory/index.ts';
import { eventFeed } from './event-feed.ts';

ledgerContract('told-of', () => eventFeed(memoryLedger()).ledger);

const EVENT = {
  at: 1,
  type: 'rollout.baked',
  subject: 'prod/screening',
  actor: 'controller',
  data: {},
} as const;

describe('an event feed', () => {
  test('tells of events with their number, once they can be read, until nobody listens any more', async () => {
    const { ledger, onEvents } = eventFeed(memoryLedger());
    await ledger.acquire('test', 1000, 0);
    const told: number[] = [];
    const stop = onEvents(events => told.push(...events.map(({ seq }) => seq)));

    await ledger.advance({ epoch: 1, at: 1, events: [EVENT, EVENT] });
    stop();
    await ledger.advance({ epoch: 1, at: 1, events: [EVENT] });

    expect(told).toEqual([1, 2]);
    expect(await ledger.events({ limit: 10 })).toHaveLength(3);
    await ledger[Symbol.asyncDispose]();
  });

  test('tells nothing of what a ledger refused, nor of a step without events', async () => {
    const { ledger, onEvents } = eventFeed(memoryLedger());
    await ledger.acquire('test', 1000, 0);
    let told = 0;
    onEvents(() => {
      told += 1;
    });

    const refused = await ledger.advance({ epoch: 0, at: 1, events: [EVENT] });
    await ledger.advance({ epoch: 1, at: 1 });

    expect(refused.kind).toBe('fenced');
    expect(told).toBe(0);
    await ledger[Symbol.asyncDispose]();
  });
});
