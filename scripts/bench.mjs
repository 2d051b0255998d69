// How fast models are served, beside the raw limit, bare HTTP and the peers (`npm run bench -- --quick`).
import { join } from 'node:path';
import { provide } from './provide.mjs';
import { root, run, setUp } from './setup.mjs';

setUp();
provide();
process.exit(await run([join(root, 'bench', 'serving', 'main.ts'), ...process.argv.slice(2)]));
