import { isDeepStrictEqual } from 'node:util';
import type { Finding } from './conformance.ts';

const MARKS = { pass: 'ok', fail: 'FAILED', skipped: '-' } as const;

/** A group, what lies beyond the specification apart. */
export function section(findings: readonly Finding[]): string {
  const [first] = findings;
  const { outcome, group } = first!;
  const isUndeclared = findings.every(({ outcome: other }) => isDeepStrictEqual(other, outcome));
  if (outcome.kind === 'skipped' && isUndeclared) return `\n${group}\n  -       ${outcome.why}`;
  const [required, beyond] = [true, false].map(asked =>
    findings.filter(({ isRequired }) => isRequired === asked).map(line),
  );
  const apart = beyond!.length === 0 ? [] : ['  beyond the specification:', ...beyond!];
  return ['', group, ...required!, ...apart].join('\n');
}

function line({ name, source, isRequired, outcome }: Finding): string {
  const mark = isRequired || outcome.kind !== 'fail' ? MARKS[outcome.kind] : 'not met';
  const head = `  ${mark.padEnd(8)}${name}`;
  if (outcome.kind === 'skipped') return `${head}: ${outcome.why}`;
  if (outcome.kind === 'pass') return head;
  const { expected, got } = outcome;
  const told = { expected, got, 'said by': source };
  const lines = Object.entries(told).map(([word, words]) => `${' '.repeat(12)}${word.padEnd(9)}${words}`);
  return [head, ...lines].join('\n');
}

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** How many checks of each group ended how: those that the specification asks for, and those beyond. */
export function table(findings: readonly Finding[]): string {
  const groups = [...new Set(findings.map(({ group }) => group))];
  const rows = groups.map(group =>
    row(
      group,
      findings.filter(finding => finding.group === group),
    ),
  );
  const whole = row('all', findings);
  const head = ['', 'by the specification', 'beyond it'].map((text, at) => text.padEnd(at === 0 ? 20 : 34));
  return [head.join('').trimEnd(), ...rows, whole].join('\n');
}

export function countsOf(findings: readonly Finding[]): { required: Counts; beyond: Counts } {
  return {
    required: counts(findings.filter(({ isRequired }) => isRequired)),
    beyond: counts(findings.filter(({ isRequired }) => !isRequired)),
  };
}

function counts(findings: readonly Finding[]): Counts {
  const of = (kind: string): number => findings.filter(({ outcome }) => outcome.kind === kind).length;
  return { passed: of('pass'), failed: of('fail'), skipped: of('skipped') };
}

function row(name: string, findings: readonly Finding[]): string {
  const { required, beyond } = countsOf(findings);
  return `${name.padEnd(20)}${told(required, 'failed').padEnd(34)}${told(beyond, 'not met')}`.trimEnd();
}

function told({ passed, failed, skipped }: Counts, word: string): string {
  return `${passed} passed, ${failed} ${word}, ${skipped} skipped`;
}
