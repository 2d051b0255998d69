import type { CommitSha, OperationId } from '@switchback-ml/schemas';
import { canonicalJson } from '@switchback-ml/schemas';
import type { PromotionIntent, RecordIntent, RollbackIntent } from './intent.ts';

/** Git shows this much of a subject without folding it. */
const LONGEST_SUBJECT = 72;

/** Facts that machines read back, as git trailers. */
interface Stamp {
  operation: OperationId;
  epoch: number;
}

export function rollbackMessage(
  intent: RollbackIntent,
  stamp: Stamp,
  how: { reverts: CommitSha | null; note: string | null; holdOnly: boolean },
): string {
  const { environment, model, from, to, reason } = intent;
  const head = how.holdOnly
    ? `${environment}/${model}: ${from.version} on hold (`
    : `${environment}/${model}: back to ${to.version} (`;
  const tail = how.holdOnly ? ')' : `), ${from.version} on hold`;
  const body = [
    how.reverts ? `This reverts commit ${how.reverts}.` : null,
    `${from.version} was found bad in ${environment}: ${reason}.`,
    how.note,
    how.holdOnly
      ? `${environment} had already left it; the hold keeps automation from bringing it back.`
      : null,
    `To lift the hold, delete its file or revert this commit.`,
  ];
  const clause = shortReason(reason, LONGEST_SUBJECT - head.length - tail.length);
  return message(head + clause + tail, body, {
    Operation: stamp.operation,
    Kind: 'rollback',
    From: from.digest,
    To: to.digest,
    'From-Revision': from.id,
    'To-Revision': to.id,
    By: intent.by,
    Epoch: String(stamp.epoch),
  });
}

export function promotionMessage(intent: PromotionIntent, stamp: Stamp): string {
  const { environment, model, version, replaces, reason } = intent;
  const subject = `${environment}/${model}: promote ${version}`;
  const body = [`${version} replaces ${replaces ?? 'nothing'} in ${environment}: ${reason}.`];
  return message(subject, body, {
    Operation: stamp.operation,
    Kind: 'promotion',
    To: intent.digest,
    By: intent.by,
    Epoch: String(stamp.epoch),
  });
}

/** One settled transition on the history ref; the last paragraph before the trailers is its data. */
export function recordMessage({ settled }: RecordIntent, stamp: Stamp): string {
  const { subject, outcome, revision, verdict } = settled;
  const words = {
    baked: 'baked',
    'rolled-back': 'rolled back',
    superseded: 'superseded',
    undecided: 'undecided',
  }[outcome];
  const body = [verdict ? `${words}: ${verdict.reason}.` : null, `${RECORD_MARK}${canonicalJson(settled)}`];
  return message(`${subject}: ${revision.version} ${words}`, body, {
    Operation: stamp.operation,
    Kind: 'record',
    Epoch: String(stamp.epoch),
  });
}

/** Before the JSON of a record. */
export const RECORD_MARK = 'record: ';
const TRAILER = 'Switchback-';

/** Nothing that was said reaches a message with a line break in it: the next line could pretend to be a trailer. */
function message(
  subject: string,
  paragraphs: readonly (string | null)[],
  trailers: Record<string, string>,
): string {
  const body = paragraphs.filter(paragraph => paragraph !== null).map(oneLine);
  const stamps = Object.entries(trailers).map(([name, value]) => `${TRAILER}${name}: ${oneLine(value)}`);
  return `${[fit(oneLine(subject).trim(), LONGEST_SUBJECT), ...body, stamps.join('\n')].join('\n\n')}\n`;
}

/** A trailer of a commit message that we wrote, or null. */
export function trailer(body: string, name: string): string | null {
  const line = body.split('\n').findLast(text => text.startsWith(`${TRAILER}${name}: `));
  return line?.slice(TRAILER.length + name.length + 2).trim() ?? null;
}

/** As much of `errors 5.1 % against 0.1 %, after 1,204 requests` as fits, cut where a clause ends. */
function shortReason(reason: string, length: number): string {
  const whole = reason.split(', after ')[0] ?? reason;
  const alone = whole.split(' against ')[0] ?? whole;
  return whole.length <= length ? whole : fit(alone, length);
}

function fit(text: string, length: number): string {
  if (text.length <= length) return text;
  const kept = text.slice(0, Math.max(0, length - 1)).trimEnd();
  // Half a surrogate pair is no character.
  return `${kept.replace(/[\ud800-\udbff]$/, '')}…`;
}

function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ');
}
