import { OBSERVATION_PATH, RuntimeObservation } from '@switchback-ml/schemas';
import { type ReplayTarget, replay } from '../../../bench/replay/replay.ts';
import { Answers, judge } from '../../../demo/observer/answers.ts';
import { MODEL } from '../../e2e/model-folder.fixture.ts';
import { pause } from './until.ts';

const LOOK_EVERY_MS = 50;
const WORD_WITHIN_MS = 2000;

/** What one runtime said that it serves; unchanged words in a row are one. */
export interface Served {
  environment: string;
  /** Between these all of its words were the same; `from` is when the first was asked for. */
  from: number;
  until: number;
  backends: { version: string; revision: string; weight: number }[];
}

export interface ServiceOptions extends Pick<ReplayTarget, 'address' | 'key' | 'rows' | 'perSecond'> {
  environment: string;
  runtimeToken: string;
}

/** Clients of the environments, and somebody who asks their runtimes all the time what they serve. */
export class Services implements AsyncDisposable {
  readonly answers = new Answers();
  readonly served: Served[] = [];
  readonly #stop = new AbortController();
  readonly #work: Promise<unknown>[];

  constructor(services: readonly ServiceOptions[]) {
    const { signal } = this.#stop;
    this.#work = services.flatMap(service => [
      replay(
        { ...service, model: MODEL, input: 'features' },
        answer => this.answers.add(judge(service.environment, answer)),
        signal,
      ),
      this.#sample(service),
    ]);
  }

  /** The version that an environment was last heard to serve most of. */
  now(environment: string): string | null {
    const last = this.served.findLast(served => served.environment === environment);
    return last?.backends.toSorted((a, b) => b.weight - a.weight)[0]?.version ?? null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#work);
  }

  async #sample(service: ServiceOptions): Promise<void> {
    let last: Served | null = null;
    while (!this.#stop.signal.aborted) {
      const from = Date.now();
      const backends = await ask(service);
      if (last && backends && isSame(last.backends, backends)) last.until = from;
      else if (backends) {
        last = { environment: service.environment, from, until: from, backends };
        this.served.push(last);
      }
      await pause(LOOK_EVERY_MS);
    }
  }
}

/** Null while it does not say, or answers from nothing. */
async function ask({ address, runtimeToken }: ServiceOptions): Promise<Served['backends'] | null> {
  try {
    const response = await fetch(`${address}${OBSERVATION_PATH}`, {
      headers: { authorization: `Bearer ${runtimeToken}` },
      signal: AbortSignal.timeout(WORD_WITHIN_MS),
    });
    const { routes } = RuntimeObservation.parse(await response.json());
    const route = Object.entries(routes).find(([model]) => model === MODEL)?.[1];
    const backends = route?.backends.filter(({ weight }) => weight > 0) ?? [];
    return backends.length > 0
      ? backends.map(({ version, revision, weight }) => ({ version, revision, weight }))
      : null;
  } catch {
    return null;
  }
}

const isSame = (one: Served['backends'], other: Served['backends']): boolean =>
  JSON.stringify(one) === JSON.stringify(other);
