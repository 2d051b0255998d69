/** A running mean that starts as a plain one, so that the first samples weigh, and then forgets old ones. */
export interface Mean {
  readonly value: number;
  /** Stops at the mean's memory. */
  readonly samples: number;
}

export function learn({ value, samples }: Mean, sample: number, memory: number): Mean {
  const seen = Math.min(samples + 1, memory);
  return { value: value + (sample - value) / seen, samples: seen };
}

export const UNMEASURED: Mean = { value: 0, samples: 0 };
/** Half of the answers are known there, until it is known better. */
export const EVEN_ODDS: Mean = { value: 0.5, samples: 8 };

export interface Experience {
  /** What it takes this revision to make an answer, in ms, waiting included. */
  costMs: Mean;
  /** What it takes to ask the second level, in ms. */
  roundTripMs: Mean;
  /** Share of the questions to which the second level knew the answer. */
  knownRatio: Mean;
}

/**
 * pays: asked, and told what was made. too-cheap: neither; making answers is quicker than fetching them even where
 * every other one is known. seldom-known: it would pay if more were known; a sample of the names goes on, so that
 * this is noticed.
 */
export type Worth = 'unmeasured' | 'too-cheap' | 'seldom-known' | 'pays';

/** Asking first costs a round trip always, and saves the making as often as the answer is known. */
export function worthOf({ costMs, roundTripMs, knownRatio }: Experience): Worth {
  if (costMs.samples === 0 || roundTripMs.samples === 0) return 'unmeasured';
  if (costMs.value * Math.max(knownRatio.value, EVEN_ODDS.value) <= roundTripMs.value) return 'too-cheap';
  return costMs.value * knownRatio.value <= roundTripMs.value ? 'seldom-known' : 'pays';
}

/** The reason, for a person. */
export function explainWorth(experience: Experience): string {
  const { costMs, roundTripMs, knownRatio } = experience;
  const made = `making an answer takes ${milliseconds(costMs)}`;
  const asked = `asking takes ${milliseconds(roundTripMs)}`;
  const known = `${(100 * knownRatio.value).toFixed(1)} % are known`;
  switch (worthOf(experience)) {
    case 'unmeasured':
      return `not measured yet: ${costMs.samples === 0 ? 'no answer was made' : 'nothing was asked'}`;
    case 'too-cheap':
      return `${made}, ${asked}`;
    case 'seldom-known':
    case 'pays':
      return `${made}, ${asked}, and ${known}`;
  }
}

function milliseconds({ value }: Mean): string {
  return `${value.toPrecision(2)} ms`;
}
