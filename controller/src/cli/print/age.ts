const UNITS: readonly [ms: number, word: string][] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
];

/** `12 s`, `3 min`, `2 h`, `5 d`: one unit, as exact as a person needs it. */
export function duration(ms: number): string {
  const [unitMs, word] = UNITS.find(([unit]) => ms >= unit) ?? [1000, 's'];
  return `${Math.floor(Math.max(0, ms) / unitMs)} ${word}`;
}

/** `14:03:22` today, else with its date; in UTC, as in git and logs. */
export function clockTime(at: number, now: number): string {
  const text = new Date(at).toISOString();
  return text.slice(0, 10) === new Date(now).toISOString().slice(0, 10)
    ? `${text.slice(11, 19)}Z`
    : `${text.slice(0, 16).replace('T', ' ')}Z`;
}
