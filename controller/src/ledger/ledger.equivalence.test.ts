import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NewEvent, OperationId } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import type { Ledger, OperationState } from './ledger.ts';
import { memoryLedger } from './memory/index.ts';
import { openSteppedBy } from './postgres/opened.fixture.ts';
import { hasPostgres, startPostgres } from './postgres/server.fixture.ts';
import { sqliteLedger } from './sqlite/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchback-ledger-'));
let files = 0;
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const state = fc.constantFrom<OperationState>('intended', 'moved', 'pushed', 'done', 'refused', 'withheld');
const subject = fc.constantFrom('dev/a', 'prod/a', 'prod/b');
const projection = fc.array(fc.tuple(subject, fc.option(fc.jsonValue())), { maxLength: 2 });

const operation = fc.record({
  record: fc.record({
    id: fc.constantFrom(...'0123').map(digit => OperationId.parse(digit.repeat(16))),
    kind: fc.constantFrom('rollback' as const, 'promotion' as const),
    subject,
    state,
    intent: fc.jsonValue(),
    result: fc.jsonValue(),
    createdAt: fc.integer({ min: 0, max: 3 }),
    updatedAt: fc.integer({ min: 0, max: 3 }),
  }),
  from: fc.option(state),
});

const event: fc.Arbitrary<NewEvent> = fc.record({
  at: fc.double({ min: 0, max: 1e13, noNaN: true }),
  type: fc.constantFrom('rollout.started' as const, 'verdict.page' as const),
  subject,
  actor: fc.string(),
  data: fc.dictionary(fc.string(), fc.jsonValue()),
});

const verb: fc.Arbitrary<(ledger: Ledger) => Promise<unknown>> = fc.oneof(
  fc.record({ holder: fc.constantFrom('a', 'b'), now: fc.integer({ min: 0, max: 50 }) }).map(
    ({ holder, now }) =>
      (ledger: Ledger) =>
        ledger.acquire(holder, 10, now),
  ),
  fc
    .record({
      holder: fc.constantFrom('a', 'b'),
      epoch: fc.integer({ min: 0, max: 3 }),
      until: fc.constant(0),
    })
    .map(lease => async (ledger: Ledger) => [await ledger.renew(lease, 10, 20), await ledger.release(lease)]),
  fc
    .record({
      epoch: fc.integer({ min: 1, max: 3 }),
      at: fc.constant(0),
      operations: fc.array(operation, { maxLength: 2 }),
      rollouts: projection.map(entries => new Map(entries)),
      analyses: projection.map(entries => new Map(entries)),
      events: fc.array(event, { maxLength: 2 }),
    })
    .map(step => (ledger: Ledger) => ledger.advance(step)),
);

test('every history of calls has the same answers from memory and from sqlite', async () => {
  await answersAsMemory(() => sqliteLedger({ file: join(folder, `${++files}.db`) }), 60);
});

describe.skipIf(!hasPostgres())('on a real server', () => {
  test('every history of calls has the same answers from memory and from PostgreSQL', async () => {
    await using server = await startPostgres();

    await answersAsMemory(() => openSteppedBy(server), 25);
  });
});

async function answersAsMemory(open: () => Promise<Ledger> | Ledger, numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(verb, { minLength: 1, maxLength: 12 }), async history => {
      await using memory = memoryLedger();
      await using other = await open();

      for (const call of [...history, everything])
        expect(await call(other)).toStrictEqual(await call(memory));
    }),
    { numRuns },
  );
}

async function everything(ledger: Ledger): Promise<unknown> {
  return [
    await ledger.read(),
    await ledger.events({ limit: 100 }),
    await ledger.recentOperations('prod/a', 1),
  ];
}
