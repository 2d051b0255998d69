/*
 * Writes one event a step without end and prints each seq once it was acknowledged: what a test kills.
 * Arguments: file, name of the holder. Exits with 3 once it is fenced.
 */
import { writeSync } from 'node:fs';
import { sqliteLedger } from './index.ts';

const [file = '', holder = ''] = process.argv.slice(2);
const ledger = sqliteLedger({ file });
const acquired = await ledger.acquire(holder, 60_000, Date.now());
if (acquired.kind === 'held') process.exit(2);

for (let count = 1; ; count++) {
  const step = { epoch: acquired.lease.epoch, at: Date.now(), rollouts: new Map([['dev/a', { count }]]) };
  const outcome = await ledger.advance({
    ...step,
    events: [{ at: step.at, type: 'rollout.stepped', subject: 'dev/a', actor: holder, data: { count } }],
  });
  if (outcome.kind !== 'advanced') process.exit(3);
  writeSync(1, `${outcome.events[0]?.seq}\n`);
}
