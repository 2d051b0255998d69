/*
 * Starts the runtime of prod, says what it is once it answers, and stays until it is killed.
 * Arguments: the actuation's options as JSON.
 */
import { writeSync } from 'node:fs';
import { EnvironmentName } from '@switchback-ml/schemas';
import { systemClock } from '../../clock.ts';
import { makeLog } from '../../log.ts';
import { localProcessActuation } from './index.ts';

const options = JSON.parse(process.argv[2] ?? '{}');
const actuation = localProcessActuation({ ...options, clock: systemClock, log: makeLog('silent') });
actuation.onChange(() => {
  const [runtime] = actuation.observe().runtimes;
  if (runtime?.state === 'running') writeSync(1, `${JSON.stringify(runtime)}\n`);
});
const environment = EnvironmentName.parse('prod');
await actuation.apply({ kind: 'start-runtime', environment }, new AbortController().signal);
