import type { EnvironmentName } from '@switchback-ml/schemas';
import { desired, readingAhead } from './desired/desired.ts';
import type { DesiredState } from './desired/desired-state.ts';
import type { Memory } from './desired/memory.ts';
import { SwitchbackError } from './error.ts';
import type { Log } from './log.ts';
import type { RepositoryView } from './repository/view.ts';

/** Long enough to be quick, short enough that requests and looks at runtimes are not kept waiting. */
const SLICE_MS = 20;
/** A first look at ten thousand models takes some seconds; who waits shall see that something happens. */
const TELL_EVERY_MS = 2000;

export interface DesiredReaderOptions {
  /** Called for each environment that a head names. */
  onEnvironment: (name: EnvironmentName) => void;
  log: Pick<Log, 'info'>;
}

/** Reads a head once, and remembers what it parsed, so that the next one costs what it changed. */
export class DesiredReader {
  readonly #options: DesiredReaderOptions;
  readonly #memory: Memory = new Map();
  #known: DesiredState | null = null;

  constructor(options: DesiredReaderOptions) {
    this.#options = options;
  }

  read(view: RepositoryView): DesiredState {
    if (view.head === null) throw new SwitchbackError('E_GIT_EMPTY', 'The branch has no commit yet.');
    if (this.#known?.commit === view.head) return this.#known;
    this.#known = desired({ ...view, commit: view.head }, this.#memory);
    for (const name of this.#known.environments.keys()) this.#options.onEnvironment(name);
    return this.#known;
  }

  /** Parses what `read` will need, a slice at a time. */
  async readAhead(view: RepositoryView | null, signal: AbortSignal): Promise<void> {
    if (!view?.head || this.#known?.commit === view.head) return;
    let sliceFrom = performance.now();
    let toldAt = sliceFrom;
    for (const { read, of } of readingAhead({ ...view, commit: view.head }, this.#memory)) {
      const now = performance.now();
      if (now - toldAt > TELL_EVERY_MS) {
        toldAt = now;
        this.#options.log.info({ read, of }, 'manifests are being read');
      }
      if (now - sliceFrom < SLICE_MS) continue;
      await new Promise(resolve => setImmediate(resolve));
      if (signal.aborted) return;
      sliceFrom = performance.now();
    }
  }
}
