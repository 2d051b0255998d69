/**
 * Options of Node for programs of ours that run for months. V8 lets the young generation grow in steps, by itself up to
 * 64 MiB, and keeps what it took: that looks like a leak, and on a small machine it is an engine's memory. Half of it
 * serves fronts as well.
 */
export const LONG_LIVED: readonly string[] = ['--min-semi-space-size=16', '--max-semi-space-size=16'];
