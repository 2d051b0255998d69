const LOOK_EVERY_MS = 20;

/** Looks again and again until it holds; whether it did within the time. */
export async function until(
  withinMs: number,
  holds: () => boolean | Promise<boolean>,
  everyMs = LOOK_EVERY_MS,
): Promise<boolean> {
  const end = Date.now() + withinMs;
  for (;;) {
    if (await holds()) return true;
    if (Date.now() > end) return false;
    await pause(everyMs);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}
