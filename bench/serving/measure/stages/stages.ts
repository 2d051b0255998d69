import type { Sample } from '../../model/sample.ts';
import type { StagesResult } from '../../results.ts';
import type { Ground } from '../../subject/subject.ts';
import { measureRound, type Round } from '../cell.ts';
import { budgetOf, busyUs } from './budget.ts';
import { startProfiled } from './profiled.ts';

const CONNECTIONS = 32;

export interface StagesOptions {
  /** Before all that. V8 compiles in other threads meanwhile, which is not what a request costs later. */
  warmMs: number;
  /** How long it is profiled, and how long it is measured without: whole seconds. */
  profileMs: number;
  plainMs: number;
  ground: Ground;
}

/** Where the processor time of a request goes, of one runtime that is asked in JSON in a closed loop. */
export async function measureStages(sample: Sample, options: StagesOptions): Promise<StagesResult> {
  const { warmMs, profileMs, plainMs, ground } = options;
  const { name } = sample.model;
  await using subject = await startProfiled(sample, ground);
  const ask = (forMs: number): Promise<Round> =>
    measureRound(subject, subject.dialect('json'), { ...ground, connections: CONNECTIONS, forMs });
  await ask(warmMs);
  ground.tell(`${name}: profiled`);
  const { result, front, engines } = await subject.record(() => ask(profileMs));
  ground.tell(`${name}: the same without the profiler`);
  const plain = await ask(plainMs);
  if (result.requests === 0 || plain.requests === 0) throw new Error(`nothing was answered of ${name}`);
  // A spare one is started beside it and does nothing.
  const [engine] = engines.toSorted((one, other) => busyUs(other) - busyUs(one));
  return {
    model: name,
    connections: CONNECTIONS,
    requests: result.requests,
    processes: [
      budgetOf('front', front, plain.frontUs),
      ...(engine === undefined ? [] : [budgetOf('engine', engine, plain.engineUs)]),
    ],
  };
}
