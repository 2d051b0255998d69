import type { Instant } from '@switchback-ml/schemas';
import { type Clock, systemClock } from '../clock.ts';
import { SwitchbackError } from '../error.ts';
import { type LogFile, logFiles, putAside } from './logs/files.ts';
import { isAtLeast, isOf, type Level, type LogLine, type LogScope, logLine } from './logs/line.ts';
import { inOrderOfTime } from './logs/merge.ts';
import { LogTail } from './logs/tail.ts';
import { parseSince } from './time.ts';

const LOOK_MS = 250;

export interface LogsOptions {
  state: string;
  scope: LogScope;
  /** A duration before now, or a time; absent: from the beginning. */
  since?: string | undefined;
  level?: Level | undefined;
  /** Of what is there, only so many of the newest. */
  lines?: number | undefined;
  /** Go on with those that come, until the signal. */
  follow: boolean;
  signal: AbortSignal;
  clock?: Clock;
}

/** Lines of the controller and of the runtimes, in the order of their times. With `follow` it ends only by the signal. */
export async function* logs(options: LogsOptions): AsyncGenerator<LogLine, void> {
  const { follow, signal, lines = Number.POSITIVE_INFINITY, clock = systemClock } = options;
  const since = options.since === undefined ? 0 : parseSince(options.since, clock.now());
  await using sources = new Sources(options.state);
  const wanted = { ...options, since };
  const newest: LogLine[] = [];
  for await (const line of sources.past(since)) {
    if (signal.aborted) return;
    if (!isWanted(line, wanted)) continue;
    if (lines === Number.POSITIVE_INFINITY) yield line;
    else if (newest.push(line) > lines) newest.shift();
  }
  yield* newest;
  if (sources.isEmpty)
    throw new SwitchbackError(
      'E_NOT_FOUND',
      `There is no log in ${options.state}. Name the state directory of a controller that was started by "switchback up".`,
    );
  while (follow && !signal.aborted) {
    await clock.sleep(LOOK_MS, signal);
    for (const line of await sources.more()) if (isWanted(line, wanted)) yield line;
  }
}

function isWanted(
  line: LogLine,
  { since, scope, level = 'debug' }: { since: Instant; scope: LogScope; level?: Level | undefined },
): boolean {
  return line.at >= since && isAtLeast(line.level, level) && isOf(line, scope);
}

/** Every log of a state directory; those of environments that appear later too. */
class Sources implements AsyncDisposable {
  readonly #state: string;
  readonly #tails = new Map<string, Known[1]>();
  isEmpty = true;

  constructor(state: string) {
    this.#state = state;
  }

  past(since: Instant): AsyncGenerator<LogLine> {
    return inOrderOfTime(this.#known().map(([file, known]) => this.#pastOf(file, known, since)));
  }

  async *#pastOf(file: string, known: Known[1], since: Instant): AsyncGenerator<LogLine> {
    for await (const text of known.tail.past(await putAside(file, since))) yield this.#line(known, text);
  }

  async more(): Promise<LogLine[]> {
    const lines: LogLine[] = [];
    for (const [, known] of this.#known())
      for await (const text of known.tail.more()) lines.push(this.#line(known, text));
    return lines.sort((a, b) => a.at - b.at);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { tail } of this.#tails.values()) await tail.close();
  }

  #known(): Known[] {
    for (const log of logFiles(this.#state)) {
      const known = this.#tails.get(log.file);
      if (known === undefined) this.#tails.set(log.file, { tail: new LogTail(log.file), log, at: 0 });
      else known.log = log;
    }
    return [...this.#tails];
  }

  #line(known: Known[1], text: string): LogLine {
    this.isEmpty = false;
    const { source, environment } = known.log;
    const line = logLine(source, text, known.at, environment);
    known.at = line.at;
    return line;
  }
}

/** `at`: when its last line was written. */
type Known = [file: string, known: { tail: LogTail; log: LogFile; at: Instant }];
