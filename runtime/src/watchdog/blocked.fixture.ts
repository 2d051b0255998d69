import { makeLog } from '../log.ts';
import { startWatchdog } from './watchdog.ts';

/* A process that blocks its event loop for ever once the watchdog watches. */
await using _watchdog = startWatchdog({ fields: {}, tellAfterMs: 500, endAfterMs: 1000 }, makeLog({}));
await new Promise(resolve => setTimeout(resolve, 500));
for (;;);
