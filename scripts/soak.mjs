import { join } from 'node:path';
import { root, run, setUp } from './setup.mjs';

setUp();
process.exit(await run([join(root, 'test', 'soak', 'main.ts'), ...process.argv.slice(2)]));
