import type { Check, Group, Outcome } from './check.ts';
import { skipped } from './check.ts';
import { binary } from './checks/binary.ts';
import {
  classification,
  configuration,
  freeParameters,
  repository,
  schedulePolicy,
  statistics,
} from './checks/extensions.ts';
import { health } from './checks/health.ts';
import { hostile } from './checks/hostile.ts';
import { compression, http } from './checks/http.ts';
import { inference } from './checks/inference.ts';
import { metadata } from './checks/metadata.ts';
import { refusals } from './checks/refusals.ts';
import { type Answer, show } from './server.ts';
import type { Subject } from './subject.ts';
import { answerFault } from './v2.ts';

/** In the order in which they are looked at: what others build on comes first, what may do harm last. */
export const GROUPS: readonly Group[] = [
  health,
  metadata,
  inference,
  refusals,
  binary,
  repository,
  statistics,
  configuration,
  classification,
  schedulePolicy,
  freeParameters,
  compression,
  http,
  hostile,
];

export interface Finding {
  group: string;
  name: string;
  source: string;
  isRequired: boolean;
  outcome: Outcome;
}

/** Looks at one thing after another, so that none is in another's way; tells of each group as soon as it is known. */
export async function conform(
  subject: Subject,
  tell: (findings: readonly Finding[]) => void = () => {},
  groups = GROUPS,
): Promise<Finding[]> {
  const all: Finding[] = [];
  for (const group of groups) {
    const findings: Finding[] = [];
    for (const check of group.checks)
      findings.push({ ...findingOf(group, check), outcome: await outcomeOf(group, check, subject) });
    tell(findings);
    all.push(...findings);
  }
  return all;
}

export type Verdict =
  | { kind: 'conformant' }
  | { kind: 'not conformant' }
  /** No request is known that it answers: most checks, and those that matter, had nothing to vary. */
  | { kind: 'nothing inferred'; why: string };

/** Whether it is found to do all that it must, so far as it was found out. */
export function verdictOn(
  findings: readonly Finding[],
  { answered, reply }: Pick<Subject, 'answered' | 'reply'>,
): Verdict {
  if (answered === null) return { kind: 'nothing inferred', why: whyNot(reply) };
  const isFailed = findings.some(({ isRequired, outcome }) => isRequired && outcome.kind === 'fail');
  return { kind: isFailed ? 'not conformant' : 'conformant' };
}

function whyNot(reply: Answer | null): string {
  if (reply === null)
    return 'the metadata tell no inputs to make a request from; give one that the model answers with --request';
  const asked = 'the request was answered with';
  if (reply.status !== 200) return `${asked} ${show(reply)}`;
  return `${asked} what is no inference response (${answerFault(reply.json)}): ${show(reply)}`;
}

function findingOf({ name: group }: Group, check: Check): Omit<Finding, 'outcome'> {
  return { group, name: check.name, source: check.source, isRequired: check.isBeyond !== true };
}

async function outcomeOf({ extension }: Group, check: Check, subject: Subject): Promise<Outcome> {
  if (extension !== undefined && !subject.extensions.has(extension))
    return skipped(`the server declares no ${extension}`);
  return check.look(subject);
}
