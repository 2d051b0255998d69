const FIRST_MS = 100;
const LONGEST_MS = 2000;

/**
 * How long to wait after so many failures in a row: doubles from 100 ms to 2 s. Between half and all of it, so that
 * many runtimes don't ask in step; `random` is in [0, 1).
 */
export function backOffMs(failures: number, random: number): number {
  const ms = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures, 10));
  return ms * (0.5 + random / 2);
}
