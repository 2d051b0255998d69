import type { Instant, NewEvent } from '@switchback-ml/schemas';
import type { Intent } from './proposal/intent.ts';
import type { Rewrite } from './repository/view.ts';
import type { RolloutState, Subject } from './rollout/rollout-state.ts';

/** What a person asks of the controller beside git: at once, and never forward. */
export type PersonRequest =
  | { kind: 'pause' | 'resume'; subject: Subject; by: string; reason: string }
  | { kind: 'accept-rewrite'; rewrite: Rewrite; by: string; reason: string }
  | { kind: 'intend'; intent: Intent };

/** Requests that wait for the next cycle; the asker is told when it has taken them in. */
export class Requests {
  #waiting: { request: PersonRequest; taken: () => void }[] = [];
  readonly #nudge: () => void;

  constructor(nudge: () => void) {
    this.#nudge = nudge;
  }

  /** Resolves once a cycle has remembered the request. */
  ask(request: PersonRequest): Promise<void> {
    return new Promise(taken => {
      this.#waiting.push({ request, taken });
      this.#nudge();
    });
  }

  /** They wait on until they are answered: a cycle that fails before leaves them to the next. */
  take(): { requests: PersonRequest[]; answer: () => void } {
    const taken = [...this.#waiting];
    return {
      requests: taken.map(({ request }) => request),
      answer: () => {
        this.#waiting = this.#waiting.filter(one => !taken.includes(one));
        for (const { taken: tell } of taken) tell();
      },
    };
  }
}

/** Pauses and resumes, as changes of rollout states. */
export function withPauses(
  states: ReadonlyMap<Subject, RolloutState>,
  requests: readonly PersonRequest[],
  now: Instant,
): { states: ReadonlyMap<Subject, RolloutState>; events: NewEvent[] } {
  const changed = new Map(states);
  const events: NewEvent[] = [];
  for (const request of requests) {
    if (request.kind !== 'pause' && request.kind !== 'resume') continue;
    const { kind, subject, by, reason } = request;
    const state = changed.get(subject);
    if (!state || (kind === 'pause') === (state.paused !== null)) continue;
    changed.set(subject, { ...state, paused: kind === 'pause' ? { by, reason, since: now } : null });
    const type = kind === 'pause' ? 'rollout.paused' : 'rollout.resumed';
    events.push({ at: now, type, subject, actor: by, data: { reason } });
  }
  return { states: changed, events };
}
