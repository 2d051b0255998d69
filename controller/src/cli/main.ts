import { runCommandLine } from './run.ts';

/** A terminal's Ctrl-C comes twice, from it and from the script that started us; a person's second one is later. */
const ONE_PRESS_MS = 1000;
const KILLED_BY_PERSON = 130;

const leaving = new AbortController();
let leftAt = Number.POSITIVE_INFINITY;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, leave);

function leave(): void {
  if (Date.now() - leftAt > ONE_PRESS_MS) process.exit(KILLED_BY_PERSON);
  leftAt = Math.min(leftAt, Date.now());
  leaving.abort();
}

// A reader that has seen enough (`switchback events | head`) is no error.
process.stdout.on('error', () => leaving.abort());

process.exitCode = await runCommandLine(process.argv.slice(2), {
  out: text => process.stdout.write(text),
  err: text => process.stderr.write(text),
  directory: process.cwd(),
  environment: process.env,
  signal: leaving.signal,
  now: () => Date.now(),
});
