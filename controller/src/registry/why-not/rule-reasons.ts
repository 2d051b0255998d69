import { promotionCases } from '../../proposal/promotion.ts';
import type { PromotionCase } from '../../proposal/promotion-case.ts';
import { mayEnter, releasePath } from '../../proposal/promotion-rule.ts';
import { everReleased, pastReleases } from '../../proposal/release-history.ts';
import { isHeld } from '../../rollout/held.ts';
import {
  changedAt,
  environmentPath,
  promoteCommand,
  type Question,
  type Reason,
  unreadableDeployment,
  type WhyNotInput,
} from './reason.ts';
import { upstreamReasons } from './upstream-reasons.ts';

/**
 * The promotion as the rule allows it now, or each part of the rule that it fails. Whether it is allowed is asked of
 * the rule itself; the parts only say why not.
 */
export function ruleReasons(
  question: Question,
  input: WhyNotInput,
): { allowed: PromotionCase } | { allowed: null; reasons: Reason[] } {
  const { environment, model, version } = question;
  const cases = promotionCases(input).filter(
    it => it.environment.name === environment.name && it.model === model.name,
  );
  const allowed = cases.find(it => it.version.digest === version.digest);
  if (allowed) return { allowed };
  const reasons = [
    ...policyReasons(question, input),
    ...entryReasons(question, input),
    ...upstreamReasons(question, input),
  ];
  const [first] = cases;
  return { allowed: null, reasons: first ? [...reasons, otherFirst(question, first, input)] : reasons };
}

function policyReasons(question: Question, { states, history, now }: WhyNotInput): Reason[] {
  const { environment, subject } = question;
  const since = changedAt(environmentPath(environment), history, now);
  const byPerson = { since, until: null, who: 'a person', command: promoteCommand(question) };
  const reasons: Reason[] = [];
  if (environment.promotion.by === 'person')
    reasons.push({ kind: 'by-person', what: `only people promote into ${environment.name}`, ...byPerson });
  if (environment.mode === 'observe')
    reasons.push({
      kind: 'mode',
      what: `${environment.name} is in mode observe: automation says what it would do, and does nothing`,
      ...byPerson,
    });
  const halted = states.get(subject)?.halted;
  if (halted)
    reasons.push({
      kind: 'halted',
      what: `${subject} is bad and has nothing to go back to, so automation leaves it alone: ${halted.reason}`,
      ...byPerson,
      since: halted.since,
    });
  return reasons;
}

/** The parts of `mayEnter`. */
function entryReasons(question: Question, input: WhyNotInput): Reason[] {
  const { environment, model, version } = question;
  if (mayEnter(input, environment, model.name, version)) return [];
  const present = environment.deployments.get(model.name);
  return [
    ...(present && !present.wanted ? [unreadableDeployment(present, question, input)] : []),
    ...heldReasons(question, input),
    ...ranBefore(question, input),
  ];
}

/** Each hold on it that is in force; also where automation has no say. */
export function heldReasons(
  { environment, model, version, subject }: Question,
  input: WhyNotInput,
): Reason[] {
  const { history, now } = input;
  const holds =
    environment.deployments.get(model.name)?.holds ?? environment.otherHolds?.get(model.name) ?? [];
  const revision = { digest: version.digest, settingsDigest: null };
  return holds
    .filter(hold => isHeld(revision, [hold], now))
    .map(hold => ({
      kind: 'held',
      what: `${version.label} is on hold in ${environment.name} by ${hold.path}: ${hold.reason}`,
      since: changedAt(hold.path, history, now),
      until: hold.until === undefined ? null : Date.parse(hold.until),
      who: 'a person',
      command: `switchback lift ${subject}@${version.label}`,
    }));
}

function ranBefore(question: Question, { desired, history, now }: WhyNotInput): Reason[] {
  const { environment, model, version } = question;
  const path = releasePath(desired, environment, model.name);
  if (!everReleased(path, version, model.versions, history)) return [];
  const past = pastReleases(path, history);
  const labels = model.versions.filter(({ digest }) => digest === version.digest).map(({ label }) => label);
  const index = past.findLastIndex(
    ({ version: label }) => label !== null && [...labels, version.label].includes(label),
  );
  const left = past[index + 1]?.change ?? past[index]?.change;
  const by = left ? `, left by ${left.commit.slice(0, 7)} (${left.subject})` : '';
  return [
    {
      kind: 'ran-before',
      what: `${environment.name} had ${version.label} before${by}: automation never brings a version back`,
      since: left?.at ?? now,
      until: null,
      who: 'a person',
      command: promoteCommand(question),
    },
  ];
}

function otherFirst(
  question: Question,
  { upstream, version }: PromotionCase,
  { history, desired, now }: WhyNotInput,
): Reason {
  const { environment, model, version: asked } = question;
  const path = releasePath(desired, { name: upstream }, model.name);
  return {
    kind: 'other-first',
    what: `${version.label} of ${upstream} is to be promoted to ${environment.name}, not ${asked.label}`,
    since: changedAt(path, history, now),
    until: null,
    who: 'a person who wants the other one',
    command: promoteCommand(question),
  };
}
