/** A request that was not answered by 200. Times are milliseconds since the epoch, by its sender's clock. */
export interface Failure {
  environment: string;
  model: string;
  /** From the answer's header; null when it had none. */
  version: string | null;
  /** 0: no answer at all. */
  status: number;
  failure: string | null;
  sentAt: number;
  atMs: number;
}

/**
 * What was done to one model of one environment, until the first good answer after it. front killed: its listener
 * is gone with all that were aboard. engine stopped: whoever was aboard waits until the request's own limit.
 */
export interface Excuse {
  kind: 'front killed' | 'engine stopped';
  environment: string;
  model: string;
  fromMs: number;
  /** Null while nothing was answered again. */
  untilMs: number | null;
}

export type Blame = 'bad version' | Excuse['kind'] | 'good version';

const TIMED_OUT = 504;

/** Whose failure each is. One that nothing explains is a good version's. */
export function blame(
  failure: Failure,
  excuses: readonly Excuse[],
  isBad: (model: string, version: string) => boolean,
): Blame {
  if (failure.version !== null && isBad(failure.model, failure.version)) return 'bad version';
  return excuses.find(excuse => explains(excuse, failure))?.kind ?? 'good version';
}

export interface Blamed {
  failure: Failure;
  by: Blame;
}

export function blameAll({
  failures,
  excuses,
  badVersions,
}: {
  failures: readonly Failure[];
  excuses: readonly Excuse[];
  /** `model version` each. */
  badVersions: ReadonlySet<string>;
}): Blamed[] {
  const isBad = (model: string, version: string): boolean => badVersions.has(`${model} ${version}`);
  return failures.map(failure => ({ failure, by: blame(failure, excuses, isBad) }));
}

function explains({ kind, environment, model, fromMs, untilMs }: Excuse, failure: Failure): boolean {
  if (environment !== failure.environment || model !== failure.model) return false;
  if (kind === 'engine stopped' && failure.status !== TIMED_OUT) return false;
  return failure.atMs >= fromMs && (untilMs === null || failure.sentAt <= untilMs);
}
