import type { Clock } from '../../clock.ts';
import { SwitchbackError } from '../../error.ts';
import type { Log } from '../../log.ts';
import { type Address, printAddress, readAddress } from './address.ts';
import { Connection } from './connection.ts';
import { type Failure, failureOf } from './failure.ts';

const SHORTEST_REST_MS = 50;
const LONGEST_REST_MS = 2000;
/** How long the server works on a statement; an answer may take a little longer. */
const STATEMENT_MS = 5000;
const ON_THE_WAY_MS = 3000;
/** A session that was cut off keeps its locks until then, so it is shorter than the patience of who waits for them. */
const IDLE_MS = 5000;
const LOCK_MS = 4000;

/** The dialogue within one transaction. */
export type Talk = Pick<Connection, 'query' | 'script'>;

export interface SessionOptions {
  /** Holds the address; read again for each connection, so a password may change there. */
  addressFile: string;
  schema: string;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  log: Pick<Log, 'info' | 'warn'>;
}

export interface Task<T> {
  /** `could not …` */
  verb: string;
  kind: keyof typeof BEGIN;
  /** From the call on, waiting for its turn included. */
  patienceMs: number;
  /**
   * One transaction. It is called again when its connection was lost, even after its COMMIT was sent: then it has to
   * look first whether that went through.
   */
  work: (talk: Talk) => Promise<T>;
  /** Whether what was written is to stay; it is unless this says no. */
  isKept?: (value: T) => boolean;
}

/**
 * One connection, kept and made again as needed, and on it one transaction at a time. Every setting is local to its
 * transaction, so it may go through a pooler that hands connections around.
 */
export class Session implements AsyncDisposable {
  readonly #options: SessionOptions;
  readonly #stop = new AbortController();
  #connection: Connection | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  #address: Address | null = null;
  #away: Failure | null = null;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** What `work` resolved to, once it is durable. Throws E_LEDGER, and what `work` threw as E_LEDGER itself. */
  do<T>(task: Task<T>): Promise<T> {
    const until = this.#options.clock.now() + task.patienceMs;
    const done = this.#turn.then(() => this.#attempts(task, until));
    this.#turn = done.catch(() => {});
    return done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#turn;
    await this.#connection?.close();
    this.#connection = null;
  }

  async #attempts<T>(task: Task<T>, until: number): Promise<T> {
    const { clock, random, schema, addressFile } = this.#options;
    for (let failures = 1; ; failures++) {
      if (this.#stop.signal.aborted) throw closed();
      const address = this.#addressFrom(addressFile);
      // Those before it waited in vain; so that a queue of them does not wait one after another.
      if (clock.now() > until) throw failed(task, address, schema, this.#away ?? BUSY, null);
      try {
        const value = await transaction(await this.#connected(address), schema, task);
        this.#tell(null);
        return value;
      } catch (error) {
        if (error instanceof SwitchbackError) throw error;
        this.#connection?.end();
        const failure = failureOf(error, { address, schema });
        const restMs = restBefore(failures, random());
        if (failure.isPassing) this.#tell(failure);
        if (!failure.isPassing || clock.now() + restMs >= until)
          throw failed(task, address, schema, failure, error);
        await clock.sleep(restMs, this.#stop.signal);
      }
    }
  }

  /** As the file had it when the connection was opened; a new one goes where the file says by then. */
  #addressFrom(file: string): Address {
    const isOpen = this.#connection !== null && !this.#connection.isOver;
    if (this.#address === null || !isOpen) this.#address = readAddress(file);
    return this.#address;
  }

  async #connected(address: Address): Promise<Connection> {
    if (this.#connection === null || this.#connection.isOver)
      this.#connection = await Connection.open(address, STATEMENT_MS + ON_THE_WAY_MS);
    return this.#connection;
  }

  /** One line when it goes away and one when it is back, however often it is tried in between. */
  #tell(failure: Failure | null): void {
    const isNews = (this.#away === null) !== (failure === null);
    this.#away = failure;
    if (!isNews) return;
    const { log } = this.#options;
    if (failure === null) log.info({}, 'the ledger is reached again');
    else log.warn({ reason: failure.what }, 'the ledger is not reached, will try again');
  }
}

const BUSY: Failure = {
  what: 'the statements before it took too long',
  remedy: 'see what the server is busy with',
  isPassing: true,
};

async function transaction<T>(connection: Connection, schema: string, task: Task<T>): Promise<T> {
  await connection.script(BEGIN[task.kind](schema));
  const value = await undoneUnlessWell(connection, task.work);
  const isKept = task.isKept?.(value) ?? true;
  const ended = await connection.script(isKept ? 'COMMIT' : 'ROLLBACK');
  // An aborted transaction answers COMMIT without an error.
  if (isKept && ended !== 'COMMIT') throw new Error(`the server answered COMMIT by ${ended}`);
  return value;
}

/** What is wrong with the step, and not with the server, leaves the connection as good as before. */
async function undoneUnlessWell<T>(connection: Connection, work: Task<T>['work']): Promise<T> {
  try {
    return await work(connection);
  } catch (error) {
    if (error instanceof SwitchbackError && !connection.isOver) await connection.script('ROLLBACK');
    throw error;
  }
}

/**
 * Written out as durably as the server can where it was told to be careless; doubles in full; tables by their plain
 * names. Each is of this transaction alone.
 */
const settings = (schema: string, statementMs: number): string => `;
  SET LOCAL search_path TO "${schema}";
  SET LOCAL statement_timeout TO ${statementMs};
  SET LOCAL lock_timeout TO ${LOCK_MS};
  SET LOCAL idle_in_transaction_session_timeout TO ${IDLE_MS};
  SET LOCAL extra_float_digits TO 1;
  SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'`;

const BEGIN = {
  write: (schema: string) => `BEGIN ISOLATION LEVEL READ COMMITTED${settings(schema, STATEMENT_MS)}`,
  /** All statements of it see the same. */
  read: (schema: string) =>
    `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY${settings(schema, STATEMENT_MS)}`,
} as const;

/** Doubles, and differs between controllers that lost the same server. */
function restBefore(failures: number, random: number): number {
  return Math.min(LONGEST_REST_MS, SHORTEST_REST_MS * 2 ** (failures - 1)) * (0.5 + random / 2);
}

function failed<T>(
  { verb }: Task<T>,
  address: Address,
  schema: string,
  { what, remedy }: Failure,
  cause: unknown,
): SwitchbackError {
  const place = `${printAddress(address)}, schema ${schema}`;
  const message = `the ledger in PostgreSQL (${place}) could not ${verb}: ${what}; ${remedy}`;
  return new SwitchbackError('E_LEDGER', message, { details: { schema }, cause });
}

function closed(): SwitchbackError {
  return new SwitchbackError('E_LEDGER', 'the ledger in PostgreSQL was closed; open another one');
}
