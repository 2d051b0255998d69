import { join } from 'node:path';
import type { SoakPlace } from '../place.ts';
import { everySoOften } from '../wait.ts';
import type { CommitWatch } from './commits.ts';
import { ControlWatch } from './control.ts';
import { ProcessWatch } from './processes.ts';
import { type Sizes, sizesOf } from './sizes.ts';

const COMMITS_EVERY_MS = 1000;
const STATUS_EVERY_MS = 5000;
const PROCESSES_EVERY_MS = 10_000;
const SIZES_EVERY_MS = 60_000;

export interface Growth extends Sizes {
  commits: number;
  records: number;
}

/** Looks at everything but the requests, each at its own pace, until it is disposed. */
export class Watch implements AsyncDisposable {
  readonly control = new ControlWatch();
  readonly processes: ProcessWatch;
  readonly growth: Growth[] = [];
  readonly #place: SoakPlace;
  readonly #stop = new AbortController();
  readonly #work: Promise<void>[];
  #addresses: string[] = [];

  constructor(place: SoakPlace, commits: CommitWatch) {
    this.#place = place;
    this.processes = new ProcessWatch(place.processes);
    const { signal } = this.#stop;
    this.#work = [
      everySoOften(COMMITS_EVERY_MS, signal, () => commits.look()),
      everySoOften(STATUS_EVERY_MS, signal, () => this.#askStatus()),
      everySoOften(PROCESSES_EVERY_MS, signal, async () => this.processes.look(await this.#held())),
      everySoOften(SIZES_EVERY_MS, signal, async () => {
        const sizes = await sizesOf(place.state, join(place.directory, 'remote'));
        this.growth.push({ ...sizes, commits: commits.commits.length, records: commits.records });
      }),
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#work);
  }

  async #askStatus(): Promise<void> {
    const status = await this.#place.status().catch(() => null);
    if (status) this.#addresses = status.environments.flatMap(({ address }) => address ?? []);
    this.control.saw(status, Date.now());
  }

  /** Who holds what, by pid; a front that is away says nothing. */
  async #held(): Promise<Map<number, string>> {
    const words = await Promise.all(this.#addresses.map(at => this.#place.word(at).catch(() => null)));
    return new Map(
      words.flatMap(word =>
        (word?.loaded ?? []).flatMap(({ pid, model, version }): [number, string][] =>
          pid === undefined ? [] : [[pid, `${word?.environment}/${model} ${version}`]],
        ),
      ),
    );
  }
}
