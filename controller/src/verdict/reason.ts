import type { IndicatorName, Objectives } from '@switchback-ml/schemas';
import type { Pair } from './analysis.ts';
import { badShare } from './bad-of-total.ts';

/** What is compared, in whose words: `over` says of which stretch, when not of the whole analysis. */
interface Clause extends Pair {
  objective: IndicatorName;
  objectives: Objectives;
  hasControl: boolean;
  over?: string;
}

/** `errors 5.1 % against 0.1 %, after 1,204 requests`; without control, against the target. */
export function clause({ objective, objectives, hasControl, over, candidate, stable }: Clause): string {
  const what = badEvents(objective, objectives);
  if (candidate.total === 0) return `${what}: no requests yet`;

  const other = hasControl
    ? percent(badShare(stable))
    : `a target of ${targetPercent(objectives[objective]?.target ?? 0)}`;
  return `${what} ${percent(badShare(candidate))} against ${other}, after ${requests(candidate.total)}${over ? ` ${over}` : ''}`;
}

export function requests(count: number): string {
  return `${thousands(count)} ${count === 1 ? 'request' : 'requests'}`;
}

function badEvents(objective: IndicatorName, { fast }: Objectives): string {
  if (objective === 'available') return 'errors';
  if (objective === 'valid') return 'invalid answers';
  return fast ? `slower than ${duration(fast.under)}:` : 'slow answers';
}

/** One decimal; smaller shares by their first digit, so that a little is never shown as nothing. */
export function percent(share: number): string {
  const value = share * 100;
  if (value === 0) return '0.0 %';
  if (value < 0.0001) return '< 0.0001 %';
  if (value < 0.095) return `${Number(value.toPrecision(1)).toFixed(Math.ceil(-Math.log10(value) - 1e-9))} %`;
  return `${(share < 1 ? Math.min(value, 99.9) : value).toFixed(1)} %`;
}

function targetPercent(target: number): string {
  return `${Number((target * 100).toPrecision(10))} %`;
}

function duration(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${ms / 1000} s`;
}

function thousands(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',');
}
