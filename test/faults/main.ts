import { parseArgs } from 'node:util';
import { duration, matrix, sumOf } from './matrix.ts';
import type { Seed } from './round.ts';
import { type Outcome, playRounds } from './rounds.ts';
import { scenarios } from './scenario/all.ts';

const USAGE = 'faults [--only <text>] [--seeds 1|2|3] [--seed 1|2|3] [--list] [--json]';
const SEEDS: readonly Seed[] = [1, 2, 3];

const options = optionsOrExit();
const chosen = scenarios.filter(({ name }) => name.includes(options.only));
if (options.list) print(chosen.map(({ name }) => name).join('\n'));
else process.exitCode = await run();

async function run(): Promise<number> {
  const startedAt = Date.now();
  const outcomes: Outcome[] = [];
  const stopping = new AbortController();
  process.once('SIGINT', () => stopping.abort());
  const count = chosen.length * options.seeds.length;
  await playRounds({
    scenarios: chosen,
    seeds: options.seeds,
    signal: stopping.signal,
    onRound: outcome => {
      outcomes.push(outcome);
      tell(outcome, `${String(outcomes.length).padStart(3)}/${count} ${duration(Date.now() - startedAt)}`);
    },
  });
  const sum = sumOf(outcomes, Date.now() - startedAt);
  const ok = sum.violations === 0 && sum.rounds + sum.skipped === count;
  if (options.json) print(JSON.stringify({ ...sum, ok, outcomes }));
  else {
    print(`\n${matrix(outcomes, options.seeds)}\n`);
    print(
      `${chosen.length} scenarios, ${sum.rounds} rounds, ${sum.skipped} skipped, ${sum.violations} violations, ${duration(sum.elapsedMs)}`,
    );
  }
  return ok ? 0 : 1;
}

function tell(outcome: Outcome, progress: string): void {
  if (options.json) return;
  const head = `${progress}  ${outcome.scenario}, seed ${outcome.seed}: `;
  if (outcome.kind === 'skipped') return print(`${head}skipped, ${outcome.why}`);
  const { violations, tookMs, evidence } = outcome;
  if (violations.length === 0) return print(`${head}ok in ${(tookMs / 1000).toFixed(1)} s`);
  print(`${head}${violations.length} violations${evidence === null ? '' : `, evidence in ${evidence}`}`);
  for (const { rule, expected, seen } of violations)
    print(`    ${rule}\n      expected: ${expected}\n      seen: ${seen}`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function optionsOrExit(): { only: string; seeds: readonly Seed[]; list: boolean; json: boolean } {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: 'string', default: '' },
        seeds: { type: 'string', default: '3' },
        seed: { type: 'string' },
        list: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    });
    const seeds = values.seed ? [seedOf('seed', values.seed)] : SEEDS.slice(0, seedOf('seeds', values.seeds));
    if (!scenarios.some(({ name }) => name.includes(values.only)))
      throw new Error(`--only: no scenario has "${values.only}" in its name; --list shows them`);
    return { ...values, seeds };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\nusage: ${USAGE}\n`);
    process.exit(2);
  }
}

function seedOf(option: string, text: string): Seed {
  const seed = SEEDS.find(each => String(each) === text);
  if (seed === undefined) throw new Error(`--${option}: must be 1, 2 or 3, not "${text}"`);
  return seed;
}
