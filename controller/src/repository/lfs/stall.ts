import { SwitchbackError } from '../../error.ts';

/** Slower than this over a whole transfer is not slow but stuck. */
const FLOOR_BYTES_PER_SECOND = 16 * 1024;
const ALLOWANCE_MS = 60_000;

export interface StallWatch extends Disposable {
  /** Aborts with the caller's signal, or when the transfer stalls. */
  signal: AbortSignal;
  /** Something moved. */
  touch(): void;
}

/** Ends a transfer in which nothing moves for `stallMs`, or so little that it would never end. */
export function stallWatch(stallMs: number, sizeBytes: number, signal: AbortSignal): StallWatch {
  const controller = new AbortController();
  const stop = (why: string): void =>
    controller.abort(
      new SwitchbackError('E_LFS_UNREACHABLE', `The LFS server stalls: ${why}.`, {
        details: { isTransient: true },
      }),
    );
  const silence = setTimeout(stop, stallMs, `nothing came for ${stallMs / 1000} s`);
  const wholeMs = ALLOWANCE_MS + (sizeBytes / FLOOR_BYTES_PER_SECOND) * 1000;
  const whole = setTimeout(stop, Math.min(wholeMs, 2 ** 31 - 1), `${sizeBytes} bytes take too long`);
  return {
    signal: AbortSignal.any([signal, controller.signal]),
    touch: () => silence.refresh(),
    [Symbol.dispose]: () => {
      clearTimeout(silence);
      clearTimeout(whole);
    },
  };
}
