import { afterAll, beforeAll, describe } from 'vitest';
import { ledgerContract } from '../ledger.contract.ts';
import { openSteppedBy } from './opened.fixture.ts';
import { hasPostgres, type RealPostgres, startPostgres } from './server.fixture.ts';

describe.skipIf(!hasPostgres())('on a real server', () => {
  let server: RealPostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  ledgerContract('postgres', () => openSteppedBy(server));
});
