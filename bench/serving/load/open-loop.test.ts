import { describe, expect, test } from 'vitest';
import { type Line, OpenLoop, type OpenLoopOptions } from './open-loop.ts';

/** Connections that keep what was sent over them, at most so many. */
function connections(most: number): { lines: Line[]; sent: number[]; open: () => Line | null } {
  const lines: Line[] = [];
  const sent: number[] = [];
  const open = (): Line | null => {
    if (lines.length === most) return null;
    const line = { send: (request: number) => void sent.push(request) };
    lines.push(line);
    return line;
  };
  return { lines, sent, open };
}

function loopOver(open: () => Line | null, options: Partial<OpenLoopOptions> = {}): OpenLoop {
  return new OpenLoop({ perSecond: 10, forMs: 1000, windowMs: 500, open, ...options }, 0);
}

describe('OpenLoop', () => {
  test('starts a request whenever one is due, whatever became of those before', () => {
    const { sent, open } = connections(100);
    const loop = loopOver(open);

    loop.pump(0);
    expect(sent).toEqual([0]);
    expect(loop.nextAt).toBe(100);
    loop.pump(350);
    expect(sent).toEqual([0, 1, 2, 3]);
    loop.pump(5000);
    expect(sent).toHaveLength(10);
    expect(loop.nextAt).toBe(Number.POSITIVE_INFINITY);
  });

  test('charges a stall with all that was to start meanwhile, from its intended start', () => {
    const { lines, open } = connections(1);
    const loop = loopOver(open);
    loop.pump(0);

    // The only connection is held up for a second; then everything is answered at once.
    for (let count = 0; count < 10; count++) {
      loop.answer(lines[0]!, 200, true, 1000);
      loop.pump(1000);
    }

    expect(loop.answered.total).toBe(10);
    expect(loop.answered.largest).toBe(1_000_000);
    // Answered after 1000, 900, … 100 ms.
    expect(Math.round(loop.answered.quantile(0.5) / 10_000)).toBe(50);
    expect(loop.lateness.largest).toBe(900_000);
    expect(loop.isDone).toBe(true);
  });

  test('tells refusals, failures and answers apart', () => {
    const { lines, open } = connections(10);
    const loop = loopOver(open);
    loop.pump(900);

    for (const [index, status] of [200, 429, 503, 500, 404].entries())
      loop.answer(lines[index]!, status, true, 950);
    loop.breakOff(lines[5]!, 'ECONNRESET');
    loop.giveUp();

    expect(loop.answered.total).toBe(1);
    expect(loop.turnedAway.total).toBe(2);
    expect(Object.fromEntries(loop.failures)).toEqual({
      'HTTP 500': 1,
      'HTTP 404': 1,
      ECONNRESET: 1,
      'no answer in time': 4,
    });
    expect(loop.isDone).toBe(true);
  });

  test('does not send over a connection that is closed', () => {
    const { lines, sent, open } = connections(2);
    const loop = loopOver(open);
    loop.pump(0);
    loop.answer(lines[0]!, 200, true, 10);
    loop.breakOff(lines[0]!, 'closed connection');

    loop.pump(100);

    expect(sent).toEqual([0, 1]);
    expect(lines).toHaveLength(2);
    expect(loop.failures.size).toBe(0);
  });

  test('keeps what happened by the window of the intended start', () => {
    const { lines, open } = connections(1);
    const loop = loopOver(open);
    loop.pump(0);
    for (let count = 0; count < 10; count++) {
      loop.answer(lines[0]!, count < 7 ? 200 : 500, true, 1000);
      loop.pump(1000);
    }

    expect(loop.windows.map(({ answered, failed }) => [answered.total, failed])).toEqual([
      [5, 0],
      [2, 3],
    ]);
  });

  test('has failed what was due before it was stopped and found no connection', () => {
    const { lines, sent, open } = connections(1);
    const loop = loopOver(open);
    loop.pump(0);

    loop.stop(300);
    loop.answer(lines[0]!, 200, true, 310);

    expect(sent).toEqual([0]);
    expect(Object.fromEntries(loop.failures)).toEqual({ 'never sent': 3 });
    expect(loop.isDone).toBe(true);
  });

  test('starts no more once it is stopped, and is done when what is aboard is', () => {
    const { lines, sent, open } = connections(10);
    const loop = loopOver(open);
    loop.pump(0);

    loop.stop(0);
    loop.pump(900);

    expect(sent).toEqual([0]);
    expect(loop.isDone).toBe(false);
    loop.answer(lines[0]!, 200, true, 901);
    expect(loop.isDone).toBe(true);
  });
});
