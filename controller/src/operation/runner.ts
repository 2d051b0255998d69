import { messageOf } from '../error.ts';
import { isEnded, type Operation } from './open-operations.ts';
import { runPromotion } from './run-promotion.ts';
import { runRecord } from './run-record.ts';
import { runRollback, type Withdrawals } from './run-rollback.ts';
import type { Moved, RunnerWorld } from './runner-world.ts';

const PATIENCE_MS = 20_000;
const LONGEST_BACK_OFF_MS = 5_000;

/**
 * Carries operations out, one at a time for the one repository, safe direction first: remember intent, look, act by
 * compare-and-swap, look again, remember the result. A remote that can't be reached is tried again for as long as
 * it takes; nothing else waits for that.
 */
export class OperationRunner {
  readonly #world: RunnerWorld;
  readonly #stop = new AbortController();
  readonly #withdrawals: Withdrawals = new Map();
  readonly #loop: Promise<void>;
  #kicked = Promise.withResolvers<void>();

  constructor(world: RunnerWorld) {
    this.#world = world;
    this.#loop = this.#run();
  }

  /** Something changed that an operation may wait for. */
  kick(): void {
    this.#kicked.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.kick();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#world;
    let failures = 0;
    while (!this.#stop.signal.aborted) {
      this.#kicked = Promise.withResolvers<void>();
      try {
        const progressed = await this.#pass();
        failures = 0;
        if (!progressed) await this.#kicked.promise;
      } catch (error) {
        failures += 1;
        log.warn(
          { failures, reason: messageOf(error) },
          'operation could not reach the remote, will try again',
        );
        const pause =
          Math.min(LONGEST_BACK_OFF_MS, 250 * 2 ** Math.min(failures, 7)) * (0.75 + Math.random() / 2);
        await clock.sleep(pause, this.#stop.signal);
      }
    }
  }

  /** One look at every open operation; whether any moved. */
  async #pass(): Promise<boolean> {
    let progressed = false;
    for (const operation of inOrder(this.#world.open.list())) {
      if (this.#stop.signal.aborted || this.#world.epoch() === null) return false;
      const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(PATIENCE_MS)]);
      const moved = await this.#look(operation, signal);
      if (moved.kind === 'wait') continue;
      progressed = (await this.#remember(operation, moved)) || progressed;
    }
    return progressed;
  }

  #look(operation: Operation, signal: AbortSignal): Promise<Moved> {
    const { intent } = operation;
    switch (intent.kind) {
      case 'rollback':
        return runRollback(this.#world, operation, intent, this.#withdrawals, signal);
      case 'promotion':
        return runPromotion(this.#world, operation, intent, signal);
      case 'record':
        return runRecord(this.#world, operation, intent, signal);
    }
  }

  async #remember(operation: Operation, moved: Moved & { kind: 'to' }): Promise<boolean> {
    const { ledger, open, clock, watch, log } = this.#world;
    const epoch = this.#world.epoch();
    if (epoch === null) return false;
    const at = clock.now();
    const result = { ...operation.result, ...moved.result };
    const next: Operation = { ...operation, state: moved.state, result, updatedAt: at };
    const { id, subject } = operation;
    const data = { kind: operation.kind, ...result, ...moved.data };
    const event = { at, type: moved.event, subject, actor: 'controller', operation: id, data };
    const advanced = await ledger.advance({
      epoch,
      at,
      operations: [{ record: next, from: operation.state }],
      events: [event],
    });
    if (advanced.kind !== 'advanced') return false;
    open.put(next);
    log.info(
      { operation: id, kind: operation.kind, subject, state: moved.state, ...result },
      'operation moved on',
    );
    if (!isEnded(next.state)) watch.nudge();
    return true;
  }
}

const URGENCY = { rollback: 0, record: 1, promotion: 2 } as const;

function inOrder(operations: Operation[]): Operation[] {
  return operations.sort((a, b) => URGENCY[a.kind] - URGENCY[b.kind] || a.createdAt - b.createdAt);
}
