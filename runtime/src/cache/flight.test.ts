import { describe, expect, test } from 'vitest';
import { type SteppedClock, settled, steppedClock } from '../clock.fixture.ts';
import { Flight, type Landed } from './flight.ts';

const PATIENCE_MS = 10;

interface Run {
  who: string;
  land(value: string | null): Promise<void>;
  fail(error: Error): Promise<void>;
}

/** A flight whose runs end when the test says so. */
class Watched {
  readonly runs: Run[] = [];
  readonly clock: SteppedClock = steppedClock();
  overs = 0;
  /** Waits that have not ended. */
  sleeps = 0;
  readonly flight = new Flight<string>({
    clock: {
      ...this.clock,
      sleep: async (ms, signal) => {
        this.sleeps++;
        await this.clock.sleep(ms, signal);
        this.sleeps--;
      },
    },
    patienceMs: PATIENCE_MS,
    isTelling: error => error instanceof RangeError,
    onOver: () => this.overs++,
  });

  make(who: string): () => Promise<string | null> {
    return () =>
      new Promise((resolve, reject) => {
        this.runs.push({
          who,
          land: async value => {
            resolve(value);
            await settled();
          },
          fail: async error => {
            reject(error);
            await settled();
          },
        });
      });
  }

  lead(): Promise<unknown> {
    return outcome(this.flight.fly(this.make('leader')));
  }

  join(count: number): Promise<unknown>[] {
    return Array.from({ length: count }, (_, i) => outcome(this.flight.join(this.make(`waiter ${i}`))));
  }

  get running(): string[] {
    return this.runs.map(({ who }) => who);
  }
}

/** What it came to, rejections as well. */
function outcome(promise: Promise<string | Landed<string> | null>): Promise<unknown> {
  return promise.catch((error: Error) => error.message);
}

const shared = (value: string) => ({ value, isShared: true });
const own = (value: string) => ({ value, isShared: false });
const telling = (): Error => new RangeError('the engine died');
const callersOwn = (): Error => new Error('the caller left');

describe('equal requests under way', () => {
  test('all get what one of them made', async () => {
    const watched = new Watched();
    const [leader, ...waiters] = [watched.lead(), ...watched.join(100)];

    await watched.runs[0]!.land('answer');

    expect(await leader).toBe('answer');
    expect(await Promise.all(waiters)).toEqual(Array(100).fill(shared('answer')));
    expect(watched.running).toEqual(['leader']);
    expect(watched.overs).toBe(1);
  });

  test('go by themselves when it was made for one alone', async () => {
    const watched = new Watched();
    const [leader, ...waiters] = [watched.lead(), ...watched.join(3)];

    await watched.runs[0]!.land(null);

    expect(watched.running).toEqual(['leader', 'waiter 0', 'waiter 1', 'waiter 2']);
    for (const { who, land } of watched.runs.slice(1)) await land(who);
    expect(await leader).toBeNull();
    expect(await Promise.all(waiters)).toEqual(['waiter 0', 'waiter 1', 'waiter 2'].map(own));
  });

  test('do not fail with the one that failed: the next runs, for all who are left', async () => {
    const watched = new Watched();
    const [leader, ...waiters] = [watched.lead(), ...watched.join(100)];

    await watched.runs[0]!.fail(telling());
    expect(watched.running).toEqual(['leader', 'waiter 0']);
    await watched.runs[1]!.land('answer');

    expect(await leader).toBe('the engine died');
    expect(await Promise.all(waiters)).toEqual([own('answer'), ...Array(99).fill(shared('answer'))]);
  });

  test('share the failure when two in a row failed for a reason that may lie in the request', async () => {
    const watched = new Watched();
    const all = [watched.lead(), ...watched.join(100)];

    await watched.runs[0]!.fail(telling());
    await watched.runs[1]!.fail(telling());

    expect(await Promise.all(all)).toEqual(Array(101).fill('the engine died'));
    expect(watched.running).toHaveLength(2);
    expect(watched.overs).toBe(1);
  });

  test("do not share a failure that was its caller's own, however many there are", async () => {
    const watched = new Watched();
    const all = [watched.lead(), ...watched.join(5)];

    for (let i = 0; i < 5; i++) await watched.runs[i]!.fail(callersOwn());
    await watched.runs[5]!.land('answer');

    expect(await Promise.all(all)).toEqual([...Array(5).fill('the caller left'), own('answer')]);
  });

  test('are over when the last one failed, so that the next begins anew', async () => {
    const watched = new Watched();
    const leader = watched.lead();

    await watched.runs[0]!.fail(callersOwn());

    expect(await leader).toBe('the caller left');
    expect(watched.overs).toBe(1);
  });

  test('lose patience with a slow one by ones and twos and fours, not all at once', async () => {
    const watched = new Watched();
    const all = [watched.lead(), ...watched.join(100)];
    const counts: number[] = [];

    for (let i = 0; i < 7; i++) {
      await watched.clock.advance(PATIENCE_MS);
      counts.push(watched.runs.length);
    }

    expect(counts).toEqual([2, 4, 8, 16, 32, 64, 101]);
    for (const { who, land } of [...watched.runs]) await land(who);
    expect(await Promise.all(all)).toEqual([
      'leader',
      ...Array.from({ length: 100 }, (_, i) => own(`waiter ${i}`)),
    ]);
  });

  test('are all answered by whichever run is the first to end', async () => {
    const watched = new Watched();
    const [leader, ...waiters] = [watched.lead(), ...watched.join(10)];
    await watched.clock.advance(PATIENCE_MS);

    await watched.runs[1]!.land('by the second');

    expect(await Promise.all(waiters)).toEqual([
      own('by the second'),
      ...Array(9).fill(shared('by the second')),
    ]);
    await watched.runs[0]!.fail(telling());
    expect(await leader).toBe('the engine died');
    expect(watched.overs).toBe(1);
  });

  test('are over once, however many runs land, so that a flight begun since is not ended', async () => {
    const watched = new Watched();
    const all = [watched.lead(), ...watched.join(1)];
    await watched.clock.advance(PATIENCE_MS);

    for (const { who, land } of [...watched.runs]) await land(who);
    await Promise.all(all);

    expect(watched.overs).toBe(1);
  });

  test('leave no timer behind', async () => {
    const watched = new Watched();
    const all = [watched.lead(), ...watched.join(2)];
    expect(watched.sleeps).toBe(1);

    await watched.runs[0]!.land('answer');
    await Promise.all(all);

    expect(watched.sleeps).toBe(0);
  });

  test('have seats for a thousand', async () => {
    const watched = new Watched();
    const all = [watched.lead(), ...watched.join(999)];
    expect(watched.flight.hasSeat).toBe(true);

    all.push(...watched.join(1));

    expect(watched.flight.hasSeat).toBe(false);
    await watched.runs[0]!.land('answer');
    await Promise.all(all);
  });
});
