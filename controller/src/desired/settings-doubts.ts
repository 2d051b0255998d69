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
export function doubtsAbout(settings: ServingSettings): Doubt[] {
  return [...doubtsAboutTimes(settings), ...doubtsAboutQueue(settings), ...doubtsAboutCanary(settings)];
}

function doubtsAboutTimes({ limits, batching, objectives }: ServingSettings): Doubt[] {
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
  const isSlower = fast !== undefined && fast.under < limits.timeoutMs;
  const [bound, boundMs] = isSlower
    ? ['objectives.fast.under', fast.under]
    : ['limits.timeout', limits.timeoutMs];
  if (batching && batching.waitMs >= boundMs)
    doubts.push({
      field: ['batching', 'wait'],
      message: `a request that waits ${batching.waitMs}ms for others is late by ${bound} (${boundMs}ms)`,
      remedy: `Make it much shorter than ${bound}.`,
    });
  return doubts;
}

function doubtsAboutQueue({ limits: { queueRows, maxBatch } }: ServingSettings): Doubt[] {
  if (queueRows === undefined || queueRows >= maxBatch) return [];
  return [
    {
      field: ['limits', 'queue'],
      message: `${queueRows} rows never make a batch of limits.maxBatch (${maxBatch})`,
      remedy: 'Raise it, or lower limits.maxBatch.',
    },
  ];
}

function doubtsAboutCanary({ rollout }: ServingSettings): Doubt[] {
  const { steps, undecided } = rollout;
  const lastMs = steps.reduce((sum, { forMs }) => sum + forMs, 0);
  if (steps.length === 0)
    return (['stickyBy', 'match', 'shadow'] as const)
      .filter(name => rollout[name] !== undefined)
      .map(name => ({
        field: ['rollout', 'canary', name],
        message: 'does nothing: without steps a new revision has all requests at once',
        remedy: `Add steps, or remove ${name}.`,
      }));
  if (lastMs < undecided.afterMs) return [];
  return [
    {
      field: ['rollout', 'canary'],
      message: `the steps take ${lastMs / 60_000}m, and the canary counts as undecided after ${undecided.afterMs / 60_000}m`,
      remedy: 'Raise undecided.after, or shorten the steps.',
    },
  ];
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
  // None at all: it names an output that is not there, and that is said as such.
  if (within === undefined || judged.length === 0 || judged.some(([, { datatype }]) => datatype !== 'BYTES'))
    return null;
  return {
    field: ['objectives', 'valid', 'within'],
    message: 'the outputs it looks at are texts, which are in no range, so it is never breached',
    remedy: 'Remove the range, or name an output of numbers.',
  };
}
