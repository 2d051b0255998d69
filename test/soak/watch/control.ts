import type { Status } from '@switchback-ml/schemas';

export interface SeenDivergence {
  subject: string;
  message: string;
  fromMs: number;
  lastSeenMs: number;
}

/** What status said, look for look: where what is served was not the target, and from when to when. */
export class ControlWatch {
  readonly divergences: SeenDivergence[] = [];
  looks = 0;
  /** Looks that nobody answered, the controller being away. */
  misses = 0;
  readonly #diverged = new Map<string, SeenDivergence>();

  saw(status: Status | null, atMs: number): void {
    this.looks += 1;
    if (status === null) {
      this.misses += 1;
      return;
    }
    const now = divergedIn(status);
    for (const [subject, message] of now) {
      const known = this.#diverged.get(subject) ?? { subject, message, fromMs: atMs, lastSeenMs: atMs };
      known.lastSeenMs = atMs;
      if (!this.#diverged.has(subject)) this.divergences.push(known);
      this.#diverged.set(subject, known);
    }
    for (const subject of this.#diverged.keys()) if (!now.has(subject)) this.#diverged.delete(subject);
  }
}

/** Message by subject. */
export function divergedIn({ environments }: Status): Map<string, string> {
  return new Map(
    environments.flatMap(({ name, deployments }) =>
      deployments.flatMap(({ model, conditions }) =>
        conditions
          .filter(({ type, status }) => type === 'Diverged' && status)
          .map(({ message }): [string, string] => [`${name}/${model}`, message]),
      ),
    ),
  );
}
