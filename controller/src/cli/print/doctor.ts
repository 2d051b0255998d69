import { plain } from '@switchback-ml/schemas';
import type { Check, Diagnosis } from '../../command/index.ts';
import { table } from './table.ts';

/** A line a check; where something is wrong, the remedy under it. */
export function diagnosisText({ checks, failed, warned }: Diagnosis): string {
  const rows = table(checks.map(({ state, name, said }) => [state, name, said])).split('\n');
  const lines = checks.flatMap((check, index) => [rows[index] ?? '', ...remedyLines(check)]);
  return `${[...lines, '', summary(checks.length, failed, warned)].join('\n')}\n`;
}

function remedyLines({ remedy }: Check): string[] {
  return remedy === null ? [] : [`      → ${plain(remedy)}`];
}

function summary(all: number, failed: number, warned: number): string {
  if (failed + warned === 0) return `${all} checks, all well`;
  return `${all} checks, ${failed} failed, ${warned} to look at`;
}
