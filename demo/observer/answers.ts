import type { Answer } from '../../bench/replay/replay.ts';

/** An answer with the environment it came from and what a caller would think of it. */
export interface Judged extends Omit<Answer, 'body'> {
  environment: string;
  /** The body held `null` where a score belongs. */
  isNull: boolean;
  tookMs: number;
}

export function judge(environment: string, { body, ...answer }: Answer): Judged {
  return { ...answer, environment, isNull: holdsNull(body), tookMs: answer.atMs - answer.sentAt };
}

/** Everything the observer's requests brought back, in the order in which answers came. */
export class Answers {
  readonly all: Judged[] = [];
  readonly #listeners = new Set<(answer: Judged) => void>();

  add(answer: Judged): void {
    this.all.push(answer);
    for (const listener of this.#listeners) listener(answer);
  }

  /** The first answer from now on that fits. Rejects after `withinMs`, naming what was waited for. */
  next(what: string, fits: (answer: Judged) => boolean, withinMs: number): Promise<Judged> {
    return new Promise((resolve, reject) => {
      const listener = (answer: Judged): void => {
        if (!fits(answer)) return;
        finish();
        resolve(answer);
      };
      const timer = setTimeout(() => {
        finish();
        reject(new Error(`waited ${withinMs / 1000} s in vain for ${what}`));
      }, withinMs);
      timer.unref();
      const finish = (): void => {
        clearTimeout(timer);
        this.#listeners.delete(listener);
      };
      this.#listeners.add(listener);
    });
  }

  of(environment: string, model: string, version?: string): Judged[] {
    return this.all.filter(
      answer =>
        answer.environment === environment &&
        answer.model === model &&
        (version === undefined || answer.version === version),
    );
  }

  /** Not answered, or not with 200. */
  failed(): Judged[] {
    return this.all.filter(({ status }) => status !== 200);
  }
}

function holdsNull(body: string): boolean {
  if (!body.includes('null')) return false;
  try {
    const { outputs } = JSON.parse(body) as { outputs: { data: unknown[] }[] };
    return outputs.some(({ data }) => data.includes(null));
  } catch {
    return false;
  }
}
