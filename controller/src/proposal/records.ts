import { CommitSha, EnvironmentName, ModelName, Verdict } from '@switchback-ml/schemas';
import { type Settled, type Subject, subjectOf } from '../rollout/rollout-state.ts';
import { fieldsIn, listIn, numberIn, textIn } from './json-fields.ts';
import { RECORD_MARK } from './message.ts';
import { recordedRevision } from './recorded-revision.ts';

/** Far above what a rollout of twenty steps needs; what is larger is not ours. */
const MOST_CHARACTERS = 256 * 1024;
const OUTCOMES = ['baked', 'rolled-back', 'superseded', 'undecided'] as const;

/**
 * The transition that a commit of the history ref tells of, or null. Anybody who may push can put anything there,
 * so what is not whole, or whose digests contradict what they stand for, counts as not said.
 */
export function settledFrom(body: string): Settled | null {
  if (body.length > MOST_CHARACTERS) return null;
  const line = body.split('\n').find(text => text.startsWith(RECORD_MARK));
  if (line === undefined) return null;
  try {
    return settledIn(JSON.parse(line.slice(RECORD_MARK.length)));
  } catch {
    return null;
  }
}

function settledIn(value: unknown): Settled {
  const record = fieldsIn(value);
  const outcome = OUTCOMES.find(word => word === record['outcome']);
  if (!outcome) throw new TypeError('not an outcome');
  const { verdict, stable } = record;
  return {
    subject: subjectIn(record['subject']),
    outcome,
    revision: recordedRevision(record['revision']),
    stable: stable === null ? null : recordedRevision(stable),
    commit: CommitSha.parse(record['commit']),
    startedAt: numberIn(record['startedAt']),
    at: numberIn(record['at']),
    trail: listIn(record['trail']).map(trailStep),
    verdict: verdict === null ? null : Verdict.parse(verdict),
  };
}

function subjectIn(value: unknown): Subject {
  const [environment, model, ...more] = textIn(value).split('/');
  if (more.length > 0) throw new TypeError('not a deployment');
  return subjectOf(EnvironmentName.parse(environment), ModelName.parse(model));
}

function trailStep(value: unknown): Settled['trail'][number] {
  const { weight, at, requests } = fieldsIn(value);
  return { weight: numberIn(weight), at: numberIn(at), requests: numberIn(requests) };
}
