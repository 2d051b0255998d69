import { ratiosOf } from '../headline.ts';
import { failuresOf } from '../load/open.ts';
import { shortcomingsOf } from '../load/steady.ts';
import type {
  AvailabilityResult,
  Disturbed,
  Machine,
  NeighboursResult,
  OverloadResult,
  PushResult,
  PushTrail,
  RawResult,
  SoakResult,
  SubjectResult,
  Table,
} from '../results.ts';
import { median, quantile } from '../statistics.ts';
import { ms, times, whole } from './figures.ts';

/** Rows of texts; the first row is the heads of the columns. */
export type Grid = readonly (readonly string[])[];

/** Who answers how much more or less than we do, and what that is in figures. */
export function throughputGrid({ subjects }: Table): Grid {
  const connections = subjects[0]?.cells.map(cell => cell.connections) ?? [];
  const ours = subjects.find(({ role }) => role === 'ours');
  const heads = [
    'subject',
    ...connections.map(count => `ours ÷ it @${count}`),
    ...connections.map(count => `answers/s @${count}`),
    'p99 @32',
    'failed',
    'memory',
  ];
  const rows = subjects.map(subject => {
    const ratios = ours === undefined ? {} : ratiosOf(ours, subject);
    return [
      subject.name,
      ...connections.map(count => (subject === ours ? '1' : times(ratios[String(count)]))),
      ...subject.cells.map(({ perSecond }) => whole(perSecond)),
      ms(subject.cells.find(cell => cell.connections === 32)?.p99Ms),
      whole(subject.cells.reduce((sum, { failed }) => sum + failed, 0)),
      `${whole(subject.residentMiB)} MiB`,
    ];
  });
  return [heads, ...rows];
}

/** Latency from the intended start, at half of what each did at most. */
export function halfGrid({ subjects }: Table): Grid {
  return [
    ['subject', 'requests/s', 'p50', 'p95', 'p99', 'p99.9', 'failed', 'sent late (p99)'],
    ...subjects.map(({ name, half: { perSecond, open, refused } }) => [
      name,
      whole(perSecond),
      ms(open.answered.p50Ms),
      ms(open.answered.p95Ms),
      ms(open.answered.p99Ms),
      ms(open.answered.p999Ms),
      whole(shortcomingsOf({ open, refused })),
      ms(open.latenessP99Ms),
    ]),
  ];
}

/** Processor time a request, where it goes. */
export function budgetGrid({ subjects }: Table): Grid {
  const connections = subjects[0]?.cells.map(cell => cell.connections) ?? [];
  return [
    ['subject', ...connections.map(count => `µs @${count}`)],
    ...subjects.flatMap(subject => budgetRows(subject)),
  ];
}

function budgetRows({ name, role, cells }: SubjectResult): string[][] {
  if (role !== 'ours') return [[name, ...cells.map(({ frontUs }) => whole(frontUs))]];
  return [
    [`${name}, front`, ...cells.map(({ frontUs }) => whole(frontUs))],
    [`${name}, engine`, ...cells.map(({ engineUs }) => whole(engineUs))],
  ];
}

export function rawGrid(raw: readonly RawResult[]): Grid {
  const batches = raw[0]?.perRow.map(({ batch }) => batch) ?? [];
  return [
    [
      'model',
      ...batches.map(batch => `raw µs/row, batch ${batch}`),
      'ours, rows/s',
      'ours ÷ raw at its best',
    ],
    ...raw.map(({ model, perRow, perSecond, ratio }) => [
      model,
      ...perRow.map(({ us }) => (us < 100 ? us.toPrecision(3) : whole(us))),
      whole(perSecond),
      times(ratio),
    ]),
  ];
}

export function disturbedGrid({ times: count, disturbed, quiet, failed, p99Ratio, tookMs }: Disturbed): Grid {
  return [
    [
      'times',
      'requests',
      'failed',
      'p99 quiet',
      'p99 meanwhile',
      'ratio',
      'each took (median)',
      'sent late (p99)',
    ],
    [
      whole(count),
      whole(disturbed.sent),
      whole(failed),
      ms(median(quiet.map(({ answered }) => answered.p99Ms))),
      ms(disturbed.answered.p99Ms),
      times(p99Ratio),
      ms(median(tookMs)),
      ms(disturbed.latenessP99Ms),
    ],
  ];
}

/** Where the time between a nudge and the first answer goes; each stage is counted from the nudge. */
export function pushGrid({ trails }: PushResult): Grid {
  const stages = ['seenMs', 'publishedMs', 'pulledMs', 'readyMs', 'answeredMs'] as const;
  const all = (stage: keyof PushTrail): number[] => trails.map(trail => trail[stage]);
  const steps = stages.map((stage, index) => {
    const before = stages[index - 1];
    return trails.map(trail => trail[stage] - (before === undefined ? 0 : trail[before]));
  });
  return [
    ['since the nudge', 'commit seen', 'snapshot published', 'files pulled', 'engine ready', 'first answer'],
    ['median', ...stages.map(stage => ms(median(all(stage))))],
    ['95 %', ...stages.map(stage => ms(quantile(all(stage), 0.95)))],
    ['slowest', ...stages.map(stage => ms(Math.max(...all(stage))))],
    ['this step alone (median)', ...steps.map(step => ms(median(step)))],
  ];
}

export function neighboursGrid({ light, heavy, alone, beside }: NeighboursResult): Grid {
  const rows = [...alone.map(open => [light, open] as const), [`${light} beside ${heavy}`, beside] as const];
  return [
    ['', 'requests', 'p50', 'p95', 'p99', 'failed', 'sent late (p99)'],
    ...rows.map(([what, open]) => [
      what,
      whole(open.sent),
      ms(open.answered.p50Ms),
      ms(open.answered.p95Ms),
      ms(open.answered.p99Ms),
      whole(failuresOf(open) + open.turnedAway.count),
      ms(open.latenessP99Ms),
    ]),
  ];
}

export function overloadGrid({ unloaded, overloaded, capacityPerSecond, p99Ratio }: OverloadResult): Grid {
  const share = overloaded.turnedAway.count / Math.max(1, overloaded.sent);
  return [
    [
      '',
      'requests/s',
      'answered',
      'p99 of those',
      'turned away',
      'p99 of those',
      'failed',
      'sent late (p99)',
    ],
    ...(
      [
        ['a tenth', unloaded, 0.1],
        ['ten times', overloaded, 10],
      ] as const
    ).map(([what, open, factor]) => [
      what,
      whole(capacityPerSecond * factor),
      whole(open.answered.count),
      ms(open.answered.p99Ms),
      whole(open.turnedAway.count),
      ms(open.turnedAway.p99Ms),
      whole(failuresOf(open)),
      ms(open.latenessP99Ms),
    ]),
    ['ratio', '', '', times(p99Ratio), `${(share * 100).toFixed(1)} %`, '', '', ''],
  ];
}

/** Beside what a day at 99.9 % allows. */
export function availabilityGrid({ steady, overloaded }: AvailabilityResult): Grid {
  const rows = { steady, 'ten times': overloaded };
  return [
    ['', 'requests', 'answered', 'turned away', 'failed', 'slowest', 'good ratio', 'bad of 99.9 %’s budget'],
    ...Object.entries(rows).map(([what, { sent, answered, turnedAway, failed, slowestMs }]) => {
      const bad = (turnedAway + failed) / Math.max(1, sent);
      const share =
        what === 'steady' ? [`${(100 * (1 - bad)).toFixed(4)} %`, `${(bad / 0.001).toFixed(2)}`] : ['–', '–'];
      return [what, whole(sent), whole(answered), whole(turnedAway), whole(failed), ms(slowestMs), ...share];
    }),
  ];
}

export function soakGrid({ samples, failed }: SoakResult): Grid {
  const at = (share: number): SoakResult['samples'][number] | undefined =>
    samples[Math.min(samples.length - 1, Math.floor(samples.length * share))];
  const picked = [0, 0.25, 0.5, 0.75, 1].flatMap(share => at(share) ?? []);
  return [
    ['requests', 'front', 'engines', 'failed'],
    ...[...new Set(picked)].map(({ requests, frontMiB, engineMiB }, index, all) => [
      whole(requests),
      `${whole(frontMiB)} MiB`,
      `${whole(engineMiB)} MiB`,
      index === all.length - 1 ? whole(failed) : '',
    ]),
  ];
}

export function machineWords(machine: Machine): string {
  const { processor, cores, memoryGiB, system, node, onnxRuntime, commit, date, loadBefore } = machine;
  return `${date}, commit ${commit}: ${cores} cores of ${processor}, ${memoryGiB} GiB, ${system}, Node ${node}, ONNX Runtime ${onnxRuntime}; load of the machine before the run: ${loadBefore}.`;
}
