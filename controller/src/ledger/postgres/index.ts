import type { Clock } from '../../clock.ts';
import type { Log } from '../../log.ts';
import type { Advanced, Ledger } from '../ledger.ts';
import { readAddress } from './address.ts';
import { grant, release, renew } from './lease.ts';
import { migrate } from './migrations.ts';
import { events, operation, recentOperations, view } from './reading.ts';
import { type LedgerOwner, schemaName } from './schema-name.ts';
import { Session, type Task } from './session.ts';
import { STATEMENTS } from './statements.ts';
import { Steps } from './steps.ts';
import { advance } from './writing.ts';

/** For what is looked up; the page and the cycle ask again. */
const LOOK_MS = 5000;
/** Shorter than a lease, which is lost without it. */
const LEASE_MS = 10_000;
/** A lease that is not given back ends by itself. */
const RELEASE_MS = 2000;
const FORGOTTEN_AT_ONCE = 10_000;

export interface PostgresLedgerOptions {
  /** Holds `postgres://user:password@host:port/database`; read again for each connection. */
  addressFile: string;
  /** Names the schema, where the address does not. */
  owner: LedgerOwner;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  log: Pick<Log, 'info' | 'warn'>;
}

/**
 * The ledger in a schema of a PostgreSQL database, made when absent. Leases run by the clock of the server. A step is
 * written once, also when the answer to its COMMIT is lost; what is told to have failed after long waiting and was
 * written all the same fences its epoch, so that its writer begins again from what the ledger says. Two connections:
 * no look makes a step wait.
 */
export async function postgresLedger(options: PostgresLedgerOptions): Promise<Ledger> {
  const { addressFile, owner, log } = options;
  const schema = readAddress(addressFile).schema ?? schemaName(owner);
  const writing = new Session({ ...options, schema });
  // What goes away goes away for both, and is told once.
  const reading = new Session({ ...options, schema, log: { info: () => {}, warn: () => {} } });
  const close = async (): Promise<void> => {
    await Promise.all([writing[Symbol.asyncDispose](), reading[Symbol.asyncDispose]()]);
  };
  try {
    const { from, to } = await migrate(writing, schema);
    if (from !== to) log.info({ schema, from, to }, 'ledger schema brought up to date');
  } catch (error) {
    await close();
    throw error;
  }
  return ledgerOn(writing, reading, close);
}

function ledgerOn(writing: Session, reading: Session, close: () => Promise<void>): Ledger {
  const steps = new Steps(writing);
  const look = <T>(work: Task<T>['work']) =>
    reading.do({ verb: 'be read', kind: 'read', patienceMs: LOOK_MS, work });
  const write = <T>(verb: string, patienceMs: number, work: Task<T>['work']) =>
    writing.do({ verb, kind: 'write', patienceMs, work });

  return {
    acquire: (holder, ttlMs, now) =>
      write('grant the lease', LEASE_MS, talk => grant(talk, { holder, ttlMs, now })),
    renew: (lease, ttlMs, now) =>
      write('renew the lease', LEASE_MS, talk => renew(talk, lease, { ttlMs, now })),
    release: lease => write('release the lease', RELEASE_MS, talk => release(talk, lease)),
    advance: step =>
      steps.write<Advanced>({
        verb: 'write a step',
        epoch: step.epoch,
        work: talk => advance(talk, step),
        fenced: { kind: 'fenced' },
        isKept: ({ kind }) => kind === 'advanced',
      }),
    read: () => look(view),
    operation: id => look(talk => operation(talk, id)),
    recentOperations: (subject, since) => look(talk => recentOperations(talk, subject, since)),
    events: query => look(talk => events(talk, query)),
    forgetEvents: (epoch, before) => forgetEvents(steps, epoch, before),
    [Symbol.asyncDispose]: close,
  };
}

/** By many short transactions, so that a long past makes no step wait. */
async function forgetEvents(steps: Steps, epoch: number, before: number): Promise<number> {
  for (let forgotten = 0; ; ) {
    const gone = await steps.write<number>({
      verb: 'forget events',
      epoch,
      work: async talk => {
        await talk.query(STATEMENTS.keepEventsSince, before);
        return (await talk.query(STATEMENTS.forgetEvents, before, FORGOTTEN_AT_ONCE)).count;
      },
      fenced: 0,
      isKept: () => true,
    });
    forgotten += gone;
    if (gone < FORGOTTEN_AT_ONCE) return forgotten;
  }
}
