import type { Judged } from '../../../demo/observer/answers.ts';
import { type Outage, type Round, violate } from '../round.ts';

const LONGEST_OUTAGE_MS = 60_000;

/** No request fails, but those that were aboard a killed front, or came before the next one answered. */
export function checkRequests(round: Round): void {
  const answers = round.world.services.answers.all.slice(round.since.answers);
  const outages = round.outages.map(outage => ({
    ...outage,
    untilMs: outage.untilMs ?? endOf(outage, answers),
  }));
  for (const { environment, fromMs, untilMs } of outages)
    if (untilMs - fromMs > LONGEST_OUTAGE_MS)
      violate(round, 'answers again', `${environment} answers again soon`, `after ${untilMs - fromMs} ms`);
  const failed = answers.filter(
    answer => answer.status !== 200 && !outages.some(outage => isWithin(outage, answer)),
  );
  const [first] = failed;
  if (first)
    violate(
      round,
      'no failed request',
      'every request is answered',
      `${failed.length} failed, the first at ${first.sentAt} in ${first.environment}: ${first.status} ${first.failure ?? ''} after ${first.tookMs} ms`,
    );
}

/** When the first answer came again; what was answered before the front had died counts for nothing. */
function endOf({ environment, fromMs }: Outage, answers: readonly Judged[]): number {
  const own = answers.filter(answer => answer.environment === environment && answer.atMs >= fromMs);
  const failed = own.filter(({ status }) => status !== 200);
  if (failed.length === 0) return fromMs;
  const diedMs = Math.min(...failed.map(({ atMs }) => atMs));
  const back = own.filter(({ status, sentAt }) => status === 200 && sentAt > diedMs);
  return Math.min(...back.map(({ atMs }) => atMs));
}

function isWithin({ environment, fromMs, untilMs }: Outage & { untilMs: number }, answer: Judged): boolean {
  return answer.environment === environment && answer.atMs >= fromMs && answer.sentAt <= untilMs;
}
