import { readFileSync, rmSync } from 'node:fs';
import { SwitchbackError } from '../error.ts';

/** Of operations, those that come seldom stand first. */
export const DEEDS = [
  'lease.acquire',
  'lease.renew',
  'cycle.remember',
  'runtime.start',
  'runtime.stop',
  'snapshot.publish',
  'artifact.download',
  'branch.fetch',
  'records.fetch',
  'rollback.intended',
  'rollback.moved',
  'rollback.revert',
  'rollback.commit',
  'rollback.push',
  'rollback.pushed',
  'rollback.done',
  'promotion.intended',
  'promotion.commit',
  'promotion.push',
  'promotion.pushed',
  'promotion.done',
  'record.intended',
  'record.commit',
  'record.push',
  'record.done',
] as const;

/** What the controller does to the world; `rollback.push` is the push of a rollback's commit. */
export type Deed = (typeof DEEDS)[number];
/** `before rollback.push`: nothing of it has happened. `after`: all of it has, and nobody was told yet. */
export type Place = `${'before' | 'after'} ${Deed}`;

/** Every place at which a test can end, stop or fail a controller. */
export const PLACES: readonly Place[] = DEEDS.flatMap((deed): Place[] => [`before ${deed}`, `after ${deed}`]);

/** Called at each place, which waits for it; what it throws is thrown there. */
export type Failpoint = (place: Place) => void | Promise<void>;

/** Does one deed between its two places. */
export async function through<Result>(
  reach: Failpoint,
  deed: Deed,
  act: () => Promise<Result>,
): Promise<Result> {
  await reach(`before ${deed}`);
  const result = await act();
  await reach(`after ${deed}`);
  return result;
}

/** How a file arms one place once: `after rollback.push: kill`, or `: kill 3` for the third time it is reached. */
const ARMED = /^((?:before|after) [a-z]+\.[a-z]+): (kill|stop|throw)(?: (\d{1,4}))?\s*$/;

/**
 * A failpoint that a file arms, for tests that kill real processes. The file is looked at whenever a place is
 * reached, and taken away right before it strikes, so that the next life passes by. kill and stop are signals to
 * this very process: no code of ours runs between the place and the end.
 */
export function failpointOfFile(file: string): Failpoint {
  const reached = new Map<Place, number>();
  return place => {
    const armed = ARMED.exec(readArmed(file));
    if (armed?.[1] !== place) return;
    const times = (reached.get(place) ?? 0) + 1;
    reached.set(place, times);
    if (times < Number(armed[3] ?? 1)) return;
    rmSync(file, { force: true });
    if (armed[2] === 'kill') process.kill(process.pid, 'SIGKILL');
    else if (armed[2] === 'stop') process.kill(process.pid, 'SIGSTOP');
    else throw new SwitchbackError('E_INTERNAL', `A test made this fail ${place}.`);
  };
}

function readArmed(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
