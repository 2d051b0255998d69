// A thousand models on one runtime that has memory for some (`npm run bench:many -- --models 200`).
import { join } from 'node:path';
import { root, run, setUp } from './setup.mjs';

setUp();
process.exit(await run([join(root, 'bench', 'many', 'main.ts'), ...process.argv.slice(2)]));
