import { parseArgs } from 'node:util';
import { Duration } from '@switchback-ml/schemas';
import { keep, keptInputs } from './kept.ts';
import { targets } from './targets.ts';
import { type Watched, watch } from './watch.ts';

/*
 * `npm run fuzz -- --for 10m`: every parser for that long, guided by coverage. What it finds is kept beside the
 * tests, so that it is tried again by every later run and by the suite.
 */
const { values } = parseArgs({
  options: {
    for: { type: 'string', default: '1m' },
    only: { type: 'string', default: '' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    'at-once': { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const forMs = Duration.parse(values.for);
const names = Object.keys(targets).filter(name => name.includes(values.only));
const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort());

const say = (line: string): void => void process.stderr.write(`${line}\n`);
say(`seed ${values.seed}, ${names.length} parsers for ${values.for} each`);
const queue = [...names];
const results = new Map<string, Watched>();
await Promise.all(Array.from({ length: Number(values['at-once']) }, work));

const findings = [...results].flatMap(([, watched]) => watched.findings).length;
const inputs = [...results].reduce((sum, [, { progress }]) => sum + (progress?.inputs ?? 0), 0);
if (values.json) {
  const parsers = Object.fromEntries([...results].map(([name, { progress }]) => [name, progress]));
  process.stdout.write(
    `${JSON.stringify({ seed: Number(values.seed), for: values.for, inputs, findings, parsers })}\n`,
  );
}
say(`${inputs} inputs, ${findings} findings`);
process.exit(findings === 0 ? 0 : 1);

async function work(): Promise<void> {
  for (let name = queue.shift(); name !== undefined && !interrupted.signal.aborted; name = queue.shift()) {
    const options = {
      name,
      seed: Number(values.seed),
      forMs,
      kept: keptInputs(name),
      signal: interrupted.signal,
    };
    const watched = await watch(options);
    results.set(name, watched);
    tell(name, watched);
  }
}

function tell(name: string, { findings, progress }: Watched): void {
  const words = progress
    ? `${progress.inputs} inputs, corpus ${progress.corpus}, ${progress.covered} characters of source ran, slowest ${progress.slowestMs.toFixed(0)} ms`
    : 'ended';
  say(`${name.padEnd(20)} ${words}, ${findings.length} findings`);
  for (const { reason, input } of findings)
    say(`  ${keep(name, input)}\n    ${reason.split('\n').slice(0, 4).join('\n    ')}`);
}
