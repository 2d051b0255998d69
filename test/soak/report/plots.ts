import { type Blame, blameAll } from '../judge/failures.ts';
import type { Seen } from '../judge/figures.ts';
import { PARTS } from '../watch/sizes.ts';
import { stretches } from './numbers.ts';
import { type Line, type Mark, type Plot, plotHtml } from './plot.ts';

const MINUTE_MS = 60_000;
const MIB = 2 ** 20;
const ENVIRONMENTS = { dev: '#0072b2', staging: '#e69f00', prod: '#009e73' } as const;
const ROLES = {
  engine: '#56b4e9',
  git: '#cc79a7',
  up: '#888888',
  remote: '#e69f00',
  front: '#009e73',
  controller: '#0072b2',
} as const;
/** What must not be is drawn last, above the others. */
const BLAMES: Readonly<Record<Blame, string>> = {
  'bad version': '#888888',
  'engine stopped': '#56b4e9',
  'front killed': '#e69f00',
  'good version': '#d55e00',
};
const PART_COLOURS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#888888', '#d55e00'];

export function plotsHtml(seen: Seen): string {
  const minutes = (seen.endedAt - seen.startedAt) / MINUTE_MS;
  const marks = marksOf(seen);
  const plots: Plot[] = [
    { title: 'Requests a second', unit: '/s', minutes, lines: trafficLines(seen, 'perSecond'), marks },
    { title: 'Failed requests, by whose they are', unit: '', minutes, lines: failureLines(seen), marks },
    { title: 'Latency, median', unit: 'ms', minutes, lines: trafficLines(seen, 'p50Ms'), marks },
    { title: 'Latency, 99th percentile', unit: 'ms', minutes, lines: trafficLines(seen, 'p99Ms'), marks },
    {
      title: 'Memory of each process, without pages of files',
      unit: 'MiB',
      minutes,
      lines: processLines(seen, ({ ownBytes }) => ownBytes / MIB),
      marks,
    },
    {
      title: 'Open descriptors of each process',
      unit: '',
      minutes,
      lines: processLines(seen, ({ descriptors }) => descriptors),
      marks,
    },
    { title: 'What the state directory and the remote hold', unit: 'MiB', minutes, lines: sizeLines(seen) },
  ];
  return plots.map(plotHtml).join('\n');
}

function marksOf({ deeds, startedAt }: Seen): Mark[] {
  return deeds.map(({ what, atMs, isFault }, index) => ({
    atMinute: (atMs - startedAt) / MINUTE_MS,
    label: String(index + 1),
    words: `${index + 1}: ${what}`,
    kind: isFault ? 'fault' : 'change',
  }));
}

function trafficLines(
  { cells, stretchMs, startedAt, endedAt }: Seen,
  what: 'perSecond' | 'p50Ms' | 'p99Ms',
): Line[] {
  return Object.entries(ENVIRONMENTS).map(([name, colour]) => ({
    name,
    colour,
    points: stretches(cells, name, stretchMs, endedAt - startedAt).map(stretch => [
      stretch.atMinute,
      stretch[what],
    ]),
  }));
}

function failureLines(seen: Seen): Line[] {
  const { stretchMs, startedAt, endedAt } = seen;
  const count = Math.max(1, Math.ceil((endedAt - startedAt) / stretchMs));
  const all = blameAll(seen);
  return Object.entries(BLAMES).map(([name, colour]) => {
    const counts = new Array<number>(count).fill(0);
    for (const { failure, by } of all) {
      const index = Math.min(count - 1, Math.floor((failure.sentAt - startedAt) / stretchMs));
      if (by === name) counts[index] = (counts[index] ?? 0) + 1;
    }
    const at = (index: number): number => ((index + 0.5) * stretchMs) / MINUTE_MS;
    return { name, colour, points: counts.map((failed, index) => [at(index), failed]) };
  });
}

/** The many and short-lived first, so that the others are drawn above them. */
function processLines(
  { processes, startedAt }: Seen,
  value: (sample: Seen['processes'][number]['samples'][number]) => number,
): Line[] {
  return Object.entries(ROLES).flatMap(([role, colour]) =>
    processes
      .filter(life => life.role === role && life.samples.length > 1)
      .map(({ samples }) => ({
        name: role,
        colour,
        points: samples.map(sample => [(sample.atMs - startedAt) / MINUTE_MS, value(sample)] as const),
      })),
  );
}

function sizeLines({ growth, startedAt }: Seen): Line[] {
  return PARTS.map((part, index) => ({
    name: part,
    colour: PART_COLOURS[index] ?? '#888888',
    points: growth.map(sizes => [(sizes.atMs - startedAt) / MINUTE_MS, sizes[part] / MIB]),
  }));
}
