// What the control plane costs with 1,000 and 10,000 models (`npm run bench:scale -- --models 1000`).
import { join } from 'node:path';
import { root, run, setUp } from './setup.mjs';

setUp();
process.exit(await run(['--expose-gc', join(root, 'bench', 'scale', 'main.ts'), ...process.argv.slice(2)]));
