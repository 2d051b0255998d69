import { SwitchbackError } from '../../error.ts';

export interface StallRule {
  /** Without a single byte. */
  silenceMs: number;
  /** Slower than this over a whole window is not slow but stuck: a drip never ends and holds a place for ever. */
  floorBytesPerSecond: number;
  windowMs: number;
}

export interface StallWatch extends Disposable {
  /** Aborts with the caller's signal, or when the transfer stalls. */
  signal: AbortSignal;
  /** Something moved. */
  moved(bytes: number): void;
}

const USUAL: StallRule = { silenceMs: 30_000, floorBytesPerSecond: 16 * 1024, windowMs: 60_000 };

/** Ends a transfer in which nothing moves for a while, or too little in any window of it. */
export function stallWatch(rule: Partial<StallRule>, signal: AbortSignal): StallWatch {
  const { silenceMs, floorBytesPerSecond, windowMs } = { ...USUAL, ...rule };
  const controller = new AbortController();
  const stop = (why: string): void =>
    controller.abort(
      new SwitchbackError('E_LFS_UNREACHABLE', `The LFS server stalls: ${why}.`, {
        details: { isTransient: true },
      }),
    );

  const silence = setTimeout(stop, silenceMs, `nothing came for ${silenceMs / 1000} s`);
  let inWindow = 0;
  const window = setInterval(() => {
    if (inWindow < (floorBytesPerSecond * windowMs) / 1000)
      stop(`${inWindow} bytes in ${windowMs / 1000} s are fewer than ${floorBytesPerSecond} a second`);
    inWindow = 0;
  }, windowMs);
  return {
    signal: AbortSignal.any([signal, controller.signal]),
    moved: bytes => {
      inWindow += bytes;
      silence.refresh();
    },
    [Symbol.dispose]: () => {
      clearTimeout(silence);
      clearInterval(window);
    },
  };
}
