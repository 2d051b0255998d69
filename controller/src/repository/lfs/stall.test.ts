import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { stallWatch } from './stall.ts';

const RULE = { silenceMs: 1_000, floorBytesPerSecond: 100, windowMs: 10_000 };
const never = new AbortController().signal;

describe('stallWatch', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('ends a transfer in which nothing comes', () => {
    using watch = stallWatch(RULE, never);

    vi.advanceTimersByTime(999);
    expect(watch.signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);

    expect(watch.signal.reason).toMatchObject({ code: 'E_LFS_UNREACHABLE', details: { isTransient: true } });
  });

  it('lets a slow transfer go on for hours while it stays over the floor', () => {
    using watch = stallWatch(RULE, never);

    for (let at = 0; at < 2 * 3600; at++) {
      vi.advanceTimersByTime(500);
      watch.moved(60);
    }

    expect(watch.signal.aborted).toBe(false);
  });

  it('ends a transfer that drips so slowly that it is stuck, in the window in which it does', () => {
    using watch = stallWatch(RULE, never);
    const drip = (times: number): void => {
      for (let at = 0; at < times; at++) {
        watch.moved(40);
        vi.advanceTimersByTime(500);
      }
    };
    watch.moved(1e9);

    drip(39);
    expect(watch.signal.aborted).toBe(false);
    drip(1);

    expect(watch.signal.reason).toMatchObject({
      message: expect.stringContaining('fewer than 100 a second'),
      details: { isTransient: true },
    });
  });

  it('ends with its caller, in the caller’s words', () => {
    const controller = new AbortController();
    using watch = stallWatch(RULE, controller.signal);

    controller.abort('enough');

    expect(watch.signal.reason).toBe('enough');
  });

  it('leaves no timer behind', () => {
    stallWatch(RULE, never)[Symbol.dispose]();

    expect(vi.getTimerCount()).toBe(0);
  });
});
