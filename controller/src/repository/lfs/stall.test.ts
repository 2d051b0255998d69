import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { stallWatch } from './stall.ts';

const never = new AbortController().signal;

describe('stallWatch', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('ends a transfer in which nothing comes', () => {
    using watch = stallWatch(1_000, 10, never);

    vi.advanceTimersByTime(999);
    expect(watch.signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);

    expect(watch.signal.reason).toMatchObject({ code: 'E_LFS_UNREACHABLE', details: { isTransient: true } });
  });

  it('lets a slow transfer go on while something comes', () => {
    using watch = stallWatch(1_000, 10, never);

    for (let at = 0; at < 50; at++) {
      vi.advanceTimersByTime(900);
      watch.touch();
    }

    expect(watch.signal.aborted).toBe(false);
  });

  it('ends a transfer that drips so slowly that it is stuck', () => {
    using watch = stallWatch(1_000, 160 * 1024, never);

    for (let at = 0; at < 71 * 2; at++) {
      vi.advanceTimersByTime(500);
      watch.touch();
    }

    expect(watch.signal.reason).toMatchObject({ message: expect.stringContaining('too long') });
  });

  it('ends with its caller, in the caller’s words', () => {
    const controller = new AbortController();
    using watch = stallWatch(1_000, 10, controller.signal);

    controller.abort('enough');

    expect(watch.signal.reason).toBe('enough');
  });

  it('leaves no timer behind', () => {
    stallWatch(1_000, 10, never)[Symbol.dispose]();

    expect(vi.getTimerCount()).toBe(0);
  });
});
