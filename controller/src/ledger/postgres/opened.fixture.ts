import { systemClock } from '../../clock.ts';
import type { Log } from '../../log.ts';
import type { Ledger } from '../ledger.ts';
import { readAddress } from './address.ts';
import { Connection } from './connection.ts';
import { postgresLedger } from './index.ts';
import type { RealPostgres } from './server.fixture.ts';

export const OWNER = {
  url: 'https://example.org/team/models.git',
  branch: 'main',
  root: '',
  isDirectory: false,
};

/** `ahead` sets its own clock forward: what it has patience for is over at once. */
export function open(
  addressFile: string,
  log: Pick<Log, 'info' | 'warn'> = SILENT,
  ahead: () => number = () => 0,
): Promise<Ledger> {
  const clock = { ...systemClock, now: () => systemClock.now() + ahead() };
  return postgresLedger({ addressFile, owner: OWNER, clock, random: () => 0.5, log });
}

/** A new, empty ledger whose server's clock is the `now` of whoever asks: the contract steps it. */
export async function openSteppedBy(server: RealPostgres): Promise<Ledger> {
  const addressFile = server.addressFile();
  const ledger = await open(addressFile);
  const address = readAddress(addressFile);
  const side = await Connection.open(address, 5000);
  const setClock = async (now: number): Promise<void> => {
    if (!side.isOver)
      await side.script(
        `CREATE OR REPLACE FUNCTION "${address.schema}".lease_clock() RETURNS DOUBLE PRECISION LANGUAGE SQL AS
         $$ SELECT ${now}::DOUBLE PRECISION $$`,
      );
  };
  return {
    ...ledger,
    acquire: async (holder, ttlMs, now) => {
      await setClock(now);
      return ledger.acquire(holder, ttlMs, now);
    },
    renew: async (lease, ttlMs, now) => {
      await setClock(now);
      return ledger.renew(lease, ttlMs, now);
    },
    [Symbol.asyncDispose]: async () => {
      await side.close();
      await ledger[Symbol.asyncDispose]();
    },
  };
}

const SILENT = { info: () => {}, warn: () => {} };
