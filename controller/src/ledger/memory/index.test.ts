import { ledgerContract } from '../ledger.contract.ts';
import { memoryLedger } from './index.ts';

ledgerContract('memory', memoryLedger);
