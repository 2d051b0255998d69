import { alarmsOf } from '../judge/alarms.ts';
import type { Seen } from '../judge/figures.ts';
import type { Trend } from '../judge/trend.ts';
import type { Judgement } from '../judge/verdict.ts';
import { PARTS } from '../watch/sizes.ts';
import { answeredBy, countBy } from './numbers.ts';
import { markupText } from './plot.ts';
import { plotsHtml } from './plots.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const MIB = 2 ** 20;
/** What a page still shows; all of it stands in the figures beside it. */
const MOST_ROWS = 400;

const REASONS: Readonly<Record<keyof Judgement['failures'], string>> = {
  'good version': 'nothing explains them: each is a violation',
  'bad version': 'answered by a version that was pushed to be found bad',
  'front killed': 'aboard a front when it was killed, or sent before the next one answered for that model',
  'engine stopped': 'aboard an engine that the soak had stopped, when their own limit had passed (504)',
};

/** The whole report as one page that loads nothing. */
export function reportHtml(seen: Seen, judgement: Judgement): string {
  const { sentence, isOk, violations } = judgement;
  const began = new Date(seen.startedAt).toISOString();
  const minutes = ((seen.endedAt - seen.startedAt) / MINUTE_MS).toFixed(1);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Soak: ${isOk ? 'as promised' : 'not as promised'}</title><style>${STYLE}</style></head><body>
<h1 class="${isOk ? 'ok' : 'bad'}">${isOk ? 'As promised' : 'Not as promised'}</h1>
<p class="verdict">${markupText(sentence)}</p>
<p>${minutes} min from ${began}, ${seen.perSecond} requests a second into each of three environments, seed ${seen.seed}.</p>
${violations.length === 0 ? '' : `<h2>Violations</h2><ol>${violations.map(words => `<li>${markupText(words)}</li>`).join('')}</ol>`}
<h2>Requests</h2>${requestsTable(seen)}${failuresTable(judgement)}
<h2>Over time</h2><p>Lines across are deeds, by their number in the table below: grey for changes, orange for faults.</p>
${plotsHtml(seen)}
<h2>Deeds</h2>${deedsTable(seen)}
<h2>Memory and descriptors of long-lived processes</h2>
<p>Medians of the second and of the last quarter of each life of twenty minutes or more. It rises where median and floor (the lowest tenth) both rise by more than 10 % and 20 MiB, or 20 descriptors. Memory is what is resident and no file's.</p>
${trendsTable(judgement)}
<h2>Growth</h2>${growthTable(seen)}
<h2>Divergences</h2>${divergencesTable(seen)}
<h2>Alarms on good versions</h2>${alarmsTable(seen)}
<h2>Events</h2>${table(
    ['type', 'count'],
    countBy(seen.events, ({ type }) => type),
  )}
</body></html>
`;
}

function requestsTable({ cells }: Seen): string {
  const rows = answeredBy(cells).map(
    ({ environment, answers, notOk, nulls, versions, p50Ms, p99Ms, longestMs }) => [
      environment,
      answers,
      notOk,
      nulls,
      versions,
      ms(p50Ms),
      ms(p99Ms),
      ms(longestMs),
    ],
  );
  const head = [
    'environment',
    'requests',
    'failed',
    'answered with null',
    'versions',
    'median',
    '99 %',
    'longest',
  ];
  return table(head, rows);
}

function failuresTable({ failures }: Judgement): string {
  const rows = Object.entries(failures).map(([by, count]) => [
    by,
    count,
    REASONS[by as keyof typeof REASONS],
  ]);
  return table(['failed requests', 'count', 'which'], rows);
}

function deedsTable({ deeds, startedAt }: Seen): string {
  const rows = deeds.map(({ kind, what, atMs, tookMs, outcome, words }, index) => [
    index + 1,
    clock(atMs - startedAt),
    kind,
    what,
    `${(tookMs / 1000).toFixed(0)} s`,
    outcome,
    words,
  ]);
  return table(['', 'at', 'kind', 'what was done', 'took', '', 'what was seen'], rows);
}

function trendsTable({ trends }: Judgement): string {
  const judged = trends.filter(({ memory }) => memory.kind === 'judged');
  if (judged.length === 0) return '<p>None lived long enough to be judged.</p>';
  const rows = judged
    .toSorted((a, b) => a.role.localeCompare(b.role) || a.name.localeCompare(b.name))
    .map(({ name, pid, memory, descriptors }) => [
      `${name} (${pid})`,
      `${(memory.lifeMs / MINUTE_MS).toFixed(0)} min`,
      ...trendCells(memory, value => `${(value / MIB).toFixed(1)} MiB`),
      ...trendCells(descriptors, value => value.toFixed(0)),
    ]);
  const columns = ['before', 'after', 'an hour', ''];
  return table(['process', 'life', ...columns, 'descriptors before', 'after', 'an hour', ''], rows);
}

function trendCells(trend: Trend, text: (value: number) => string): string[] {
  if (trend.kind === 'too short') return ['', '', '', ''];
  const { before, after, perHour, perHourError, isRising } = trend;
  const slope = `${perHour < 0 ? '' : '+'}${text(perHour)} ± ${text(perHourError)}`;
  return [text(before), text(after), slope, isRising ? 'rises' : 'flat'];
}

function growthTable({ growth }: Seen): string {
  const [first, last] = [growth[0], growth.at(-1)];
  if (!first || !last || first === last) return '<p>Seen only once.</p>';
  const hours = (last.atMs - first.atMs) / HOUR_MS;
  const sizes = PARTS.map(part => [
    part,
    `${(first[part] / MIB).toFixed(2)} MiB`,
    `${(last[part] / MIB).toFixed(2)} MiB`,
    `${((last[part] - first[part]) / MIB / hours).toFixed(2)} MiB`,
  ]);
  const counts = (['commits', 'records'] as const).map(what => [
    what,
    first[what],
    last[what],
    ((last[what] - first[what]) / hours).toFixed(0),
  ]);
  return table(['what', 'first', 'last', 'an hour'], [...sizes, ...counts]);
}

function divergencesTable({ divergences, events, startedAt }: Seen): string {
  const told = events.filter(({ type }) => type.startsWith('divergence.'));
  const rows = [
    ...told.map(({ at, type, subject, data }) => [
      clock(at - startedAt),
      type,
      subject,
      String(data['message']),
    ]),
    ...divergences.map(({ fromMs, lastSeenMs, subject, message }) => [
      clock(fromMs - startedAt),
      `seen in status for ${((lastSeenMs - fromMs) / 1000).toFixed(0)} s`,
      subject,
      message,
    ]),
  ];
  if (rows.length === 0) return '<p>None was seen.</p>';
  return table(['at', 'what', 'subject', 'message'], rows.slice(0, MOST_ROWS));
}

function alarmsTable(seen: Seen): string {
  const rows = alarmsOf(seen).map(({ at, type, subject, data }) => [
    clock(at - seen.startedAt),
    type,
    `${subject} ${String(data['version'] ?? '')}`,
    String(data['reason'] ?? ''),
  ]);
  return rows.length === 0 ? '<p>None.</p>' : table(['at', 'what', 'version', 'reason'], rows);
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cell = (value: string | number): string =>
    typeof value === 'number'
      ? `<td class="number">${value.toLocaleString('en-US')}</td>`
      : `<td>${markupText(value)}</td>`;
  const body = rows.map(row => `<tr>${row.map(cell).join('')}</tr>`).join('\n');
  return `<table><thead><tr>${head.map(name => `<th>${markupText(name)}</th>`).join('')}</tr></thead><tbody>${body}</tbody></table>`;
}

const ms = (value: number | null): string => (value === null ? '–' : `${value} ms`);

export function clock(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return [hours, minutes, seconds % 60].map(part => String(part).padStart(2, '0')).join(':');
}

const STYLE = `:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}
h1{margin-bottom:0}h1.ok{color:#00805c}h1.bad{color:#d55e00}.verdict{font-size:1.25rem;margin-top:.25rem}
table{border-collapse:collapse;font-size:13px;margin:.5rem 0 1.5rem}td,th{text-align:left;vertical-align:top;padding:.2rem .6rem;border-bottom:1px solid #8884}
td.number{text-align:right}figure{margin:1.5rem 0}figcaption{font-weight:600}.legend{margin:0;font-size:13px}.legend span{margin-right:1rem}
.legend i{display:inline-block;width:.8em;height:.8em;margin-right:.35em;border-radius:2px}svg{width:100%;height:auto}`;
