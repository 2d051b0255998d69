/** How many requests may wait for a connection to a runtime, in one environment. */
export const MOST_WAITING = 1024;
/** Of clients, at one time; a connection beyond is closed at once. */
export const MOST_CLIENTS = 10_000;
/** Of requests that are held whole, so that they can be sent once more. */
export const MOST_HELD_BYTES = 256 * 2 ** 20;
/** Requests up to this size are not counted against what may be held: the number of clients bounds them. */
export const SMALL_BYTES = 64 * 2 ** 10;
/** For a runtime's answer to begin and end, where the caller names no time. */
export const ANSWER_TIMEOUT_MS = 60_000;
/** Shorter than runtimes keep an idle connection, so that it is never they who give it up. */
export const IDLE_UPSTREAM_MS = 60_000;
export const CONNECT_TIMEOUT_MS = 1000;
export const PROBE = { everyMs: 1000, withinMs: 1000 };
/** How often patience and deadlines are looked at: a deadline is noticed at most so late. */
export const SWEEP_MS = 50;
/** After the signal to stop, how long answers may take, and how long an idle client may still send a request. */
export const DRAIN_MS = { answers: 10_000, idle: 1000 };
