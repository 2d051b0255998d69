import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Duration } from '@switchback-ml/schemas';
import { MODELS } from './model/models.ts';

export const SUBJECTS = [
  'switchback',
  'fastify',
  'node-http',
  'mlserver',
  'kserve',
  'litserve',
  'bentoml',
  'mlflow',
];
export const SCENARIOS = [
  'raw',
  'stages',
  'swap',
  'kill',
  'push',
  'neighbours',
  'overload',
  'availability',
  'soak',
] as const;
/** Those that take longer than a quick look may. */
const LONG: readonly Scenario[] = ['availability', 'soak'];
export type Scenario = (typeof SCENARIOS)[number];

export const USAGE =
  'bench [--quick] [--json] [--only <name>,…] [--for 3s] [--rounds 5] [--requests 10000000] [--availability 10m] [--out <folder>]\n' +
  '  --quick     without peers, the lightest and the heaviest model, fewer rounds; under 5 minutes on two cores\n' +
  '  --json      one line for programs, last on standard output\n' +
  `  --only      models (${MODELS.map(({ name }) => name).join(', ')}),\n` +
  `              subjects (${SUBJECTS.join(', ')}),\n` +
  `              scenarios (${SCENARIOS.join(', ')}); the tables are left out where only scenarios are named\n` +
  '  --for       how long one measurement is (default: 3s, and 2s when quick)\n' +
  '  --rounds    how often each is repeated in turn with the others (default: 5, and 3 when quick)\n' +
  '  --requests  of the soak (default: 10000000; none when quick)\n' +
  '  --availability  how long runtimes are killed and replaced under load (default: 10m; not at all when quick)\n' +
  '  --out       where benchmarks.md and its plots go (default: docs, and nowhere when quick)';

export interface Options {
  isQuick: boolean;
  isJson: boolean;
  /** Names of models, in the order of the tables. */
  models: readonly string[];
  subjects: ReadonlySet<string>;
  scenarios: ReadonlySet<Scenario>;
  /** Whether models are measured side by side. */
  hasTables: boolean;
  forMs: number;
  rounds: number;
  requests: number;
  availabilityMs: number;
  /** Null: no documents are written. */
  out: string | null;
}

/** Throws an Error with a sentence for whoever typed it. `null`: help was asked for. */
export function readOptions(args: readonly string[], root: string): Options | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      for: { type: 'string' },
      rounds: { type: 'string' },
      requests: { type: 'string', default: '10000000' },
      availability: { type: 'string', default: '10m' },
      out: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return null;
  const isQuick = values.quick;
  return {
    isQuick,
    isJson: values.json,
    ...chosen(
      values.only.flatMap(text => text.split(',')),
      isQuick,
    ),
    forMs: duration('--for', values.for ?? (isQuick ? '2s' : '3s')),
    rounds: wholeNumber('--rounds', values.rounds ?? (isQuick ? '3' : '5'), 100),
    requests: wholeNumber('--requests', values.requests, 1e9),
    availabilityMs: duration('--availability', values.availability),
    out: values.out ?? (isQuick ? null : join(root, 'docs')),
  };
}

function chosen(
  only: readonly string[],
  isQuick: boolean,
): Pick<Options, 'models' | 'subjects' | 'scenarios' | 'hasTables'> {
  const allModels = MODELS.map(({ name }) => name);
  const known = [...allModels, ...SUBJECTS, ...SCENARIOS];
  const unknown = only.find(name => !known.includes(name));
  if (unknown !== undefined)
    throw new Error(`--only: there is no "${unknown}"; there is ${known.join(', ')}`);
  const models = allModels.filter(name => only.includes(name));
  const subjects = SUBJECTS.filter(name => only.includes(name));
  const scenarios = SCENARIOS.filter(name => only.includes(name));
  return {
    models: models.length > 0 ? models : isQuick ? ['iris'] : allModels,
    subjects: new Set(
      subjects.length > 0 ? subjects : isQuick ? ['switchback', 'fastify', 'node-http'] : SUBJECTS,
    ),
    scenarios: new Set(
      only.length > 0 ? scenarios : SCENARIOS.filter(name => !isQuick || !LONG.includes(name)),
    ),
    hasTables: only.length === 0 || models.length > 0 || subjects.length > 0,
  };
}

/** Of whole seconds, since wrk counts in them. */
function duration(name: string, text: string): number {
  const read = Duration.safeParse(text);
  if (read.success && read.data >= 1000 && read.data % 1000 === 0) return read.data;
  throw new Error(`${name}: must be a duration of whole seconds such as "2s" or "1m", not "${text}"`);
}

function wholeNumber(name: string, text: string, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= most) return value;
  throw new Error(`${name}: must be a whole number from 1 to ${most}, not "${text}"`);
}
