import type { Seed } from './round.ts';
import type { Outcome } from './rounds.ts';

export interface Sum {
  rounds: number;
  skipped: number;
  violations: number;
  elapsedMs: number;
}

export function sumOf(outcomes: readonly Outcome[], elapsedMs: number): Sum {
  const played = outcomes.filter(outcome => outcome.kind === 'played');
  return {
    rounds: played.length,
    skipped: outcomes.length - played.length,
    violations: played.reduce((sum, { violations }) => sum + violations.length, 0),
    elapsedMs,
  };
}

/** A line a scenario, a column a seed: ok, the number of violations, or a dash where it could not be played. */
export function matrix(outcomes: readonly Outcome[], seeds: readonly Seed[]): string {
  const names = [...new Set(outcomes.map(({ scenario }) => scenario))];
  const width = Math.max(...names.map(name => name.length), 8);
  const line = (name: string, cells: readonly string[]): string =>
    [name.padEnd(width), ...cells.map(cell => cell.padStart(6))].join('  ');
  const head = line(
    'scenario',
    seeds.map(seed => `seed ${seed}`),
  );
  const rows = names.map(name =>
    line(
      name,
      seeds.map(seed => cell(outcomes.find(each => each.scenario === name && each.seed === seed))),
    ),
  );
  const skipped = outcomes.flatMap(each =>
    each.kind === 'skipped' ? [`– ${each.scenario}: ${each.why}`] : [],
  );
  return [head, ...rows, ...new Set(skipped)].join('\n');
}

function cell(outcome: Outcome | undefined): string {
  if (outcome?.kind !== 'played') return '–';
  return outcome.violations.length === 0 ? 'ok' : String(outcome.violations.length);
}

export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
