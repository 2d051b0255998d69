import type { Instant } from '@switchback-ml/schemas';
import type { Clock } from '../../clock.ts';
import { Patience } from './patience.ts';
import type { RememberedProcess } from './process-record.ts';

/** One process of a runtime, from when we started or found it until it is gone. The next is another life. */
export class RuntimeLife {
  readonly since: Instant;
  /** Whether the process was here before us. */
  readonly isAdopted: boolean;
  readonly patience: Patience;
  /** Whether it has said who it is, to us. */
  isConfirmed = false;
  /** Whether it answers requests; one that is about to end is not counted on. */
  isServing = false;
  /** How it ended, in words; null: it lives, or nobody has told us. */
  exit: string | null = null;

  constructor(clock: Clock, isAdopted: boolean) {
    this.since = clock.now();
    this.isAdopted = isAdopted;
    this.patience = new Patience(clock);
  }

  /** Whether it may still be loading: it never spoke, and there is a process that can. */
  isLoading({ instanceId, identity }: RememberedProcess): boolean {
    return instanceId === null && (identity !== null || !this.isAdopted);
  }
}
