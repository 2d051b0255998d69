import type { ServingSettings, Signature } from '@switchback-ml/schemas';
import { nearest } from './nearest.ts';

/** Settings that are well formed and can't do what they are for. */
export interface Doubt {
  field: readonly string[];
  message: string;
  remedy: string;
}

/** Not even an answer from memory is faster over HTTP. */
const FASTEST_ANSWER_MS = 0.1;

/** What can be said without knowing the model. */
export function doubtsAbout({ limits, objectives, rollout }: ServingSettings): Doubt[] {
  const doubts: Doubt[] = [];
  const { fast } = objectives;
  const under = ['objectives', 'fast', 'under'];
  if (fast && fast.under >= limits.timeoutMs)
    doubts.push({
      field: under,
      message: `${fast.under}ms is not below limits.timeout (${limits.timeoutMs}ms), so no answer is ever too slow`,
      remedy: 'Lower it, or raise limits.timeout.',
    });
  if (fast && fast.under < FASTEST_ANSWER_MS)
    doubts.push({
      field: under,
      message: `no answer is faster than ${fast.under}ms, so this objective is always breached`,
      remedy: 'Raise it.',
    });
  const { steps, undecided } = rollout;
  const lastMs = steps.reduce((sum, { forMs }) => sum + forMs, 0);
  if (steps.length > 0 && lastMs >= undecided.afterMs)
    doubts.push({
      field: ['rollout', 'canary'],
      message: `the steps take ${lastMs / 60_000}m, and the canary counts as undecided after ${undecided.afterMs / 60_000}m`,
      remedy: 'Raise undecided.after, or shorten the steps.',
    });
  return doubts;
}

/** An objective about an output that the version has not is breached by every answer. */
export function missingOutput({ objectives }: ServingSettings, { outputs }: Signature): Doubt | null {
  const output = objectives.valid?.output;
  if (output === undefined || Object.hasOwn(outputs, output)) return null;
  const names = Object.keys(outputs);
  const near = nearest(output, names);
  return {
    field: ['objectives', 'valid', 'output'],
    message: `"${output}" is no output of the version, so every answer would be bad`,
    remedy: near === null ? `There are: ${names.slice(0, 5).join(', ')}.` : `Did you mean "${near}"?`,
  };
}

/** A range says nothing of texts. */
export function uselessRange({ objectives }: ServingSettings, { outputs }: Signature): Doubt | null {
  const { output, within } = objectives.valid ?? {};
  const judged = Object.entries(outputs).filter(([name]) => output === undefined || name === output);
  if (within === undefined || judged.some(([, { datatype }]) => datatype !== 'BYTES')) return null;
  return {
    field: ['objectives', 'valid', 'within'],
    message: 'the outputs it looks at are texts, which are in no range, so it is never breached',
    remedy: 'Remove the range, or name an output of numbers.',
  };
}
