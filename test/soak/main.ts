import { fileURLToPath } from 'node:url';
import { judgeSoak } from './judge/verdict.ts';
import { type Options, readOptions, USAGE } from './options.ts';
import { clock } from './report/html.ts';
import { writeReport } from './report/write.ts';
import { soak } from './soak.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const options = optionsOrExit();
const startedAt = Date.now();
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    if (!stopping.signal.aborted) tell('stopping in order, the report follows …');
    stopping.abort();
  });

try {
  process.exitCode = (await run()) ? 0 : 1;
} catch (error) {
  const why = error instanceof Error ? error.message : String(error);
  process.stderr.write(
    stopping.signal.aborted ? 'stopped before anything was seen\n' : `the soak broke: ${why}\n`,
  );
  process.exitCode = 1;
}

/** Whether all was as promised. */
async function run(): Promise<boolean> {
  const soaked = await soak({ ...options, signal: stopping.signal, tell });
  const judgement = judgeSoak(soaked.seen);
  const written = await writeReport(options.out, soaked.seen, judgement);
  const { sentence, isOk, violations, failures } = judgement;
  const evidence = isOk ? null : soaked.directory;
  if (isOk) await soaked[Symbol.asyncDispose]();
  const { requests } = soaked.seen;
  const lines = [
    sentence,
    ...violations.map(words => `  violated: ${words}`),
    `report: ${written.page}`,
    ...(evidence === null ? [] : [`evidence: ${evidence}`]),
  ];
  const figures = { ok: isOk, sentence, requests, failures, violations, ...written, evidence };
  print(options.isJson ? JSON.stringify(figures) : lines.join('\n'));
  return isOk;
}

/** For people, while it goes on. */
function tell(words: string): void {
  process.stderr.write(`${clock(Date.now() - startedAt)}  ${words}\n`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function optionsOrExit(): Options {
  try {
    return readOptions(process.argv.slice(2), root, new Date());
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\nusage: ${USAGE}\n`);
    process.exit(2);
  }
}
