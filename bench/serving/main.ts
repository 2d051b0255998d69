import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bench } from './bench.ts';
import { headlineOf } from './headline.ts';
import { wrkTrouble } from './load/closed.ts';
import { type Options, readOptions, USAGE } from './options.ts';
import { Progress } from './progress.ts';
import { printResults } from './report/print.ts';
import { writeReport } from './report/write.ts';

/*
 * `npm run bench`: how fast models are served, beside the raw limit, bare HTTP and the peers. People read standard
 * error; with --json, standard output is one line for programs.
 */
const root = fileURLToPath(new URL('../..', import.meta.url));
const options = optionsOrExit();
const trouble = wrkTrouble();
if (trouble !== null) exit(trouble);
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort());

try {
  await run(options);
} catch (error) {
  const why = error instanceof Error ? error.message : String(error);
  tell(stopping.signal.aborted ? 'stopped' : `the benchmark broke: ${why}`);
  process.exitCode = 1;
}

async function run(asked: Options): Promise<void> {
  const progress = new Progress(tell, () => performance.now());
  const ground = { cache: join(root, '.cache', 'bench', 'peers'), signal: stopping.signal, now: new Date() };
  const results = await bench(asked, progress, ground);
  tell(`\n${printResults(results)}`);
  if (asked.out !== null) tell(`report: ${await writeReport(asked.out, results)}`);
  const headline = headlineOf(results);
  if (asked.isJson) process.stdout.write(`${JSON.stringify(headline)}\n`);
}

function tell(words: string): void {
  process.stderr.write(`${words}\n`);
}

function optionsOrExit(): Options {
  let read: Options | null = null;
  try {
    read = readOptions(process.argv.slice(2), root);
  } catch (error) {
    exit(`${error instanceof Error ? error.message : String(error)}\nusage: ${USAGE}`);
  }
  if (read !== null) return read;
  process.stdout.write(`usage: ${USAGE}\n`);
  process.exit(0);
}

function exit(sentence: string): never {
  tell(sentence);
  process.exit(2);
}
