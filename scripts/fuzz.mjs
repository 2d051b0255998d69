// Every parser for as long as asked (`npm run fuzz -- --for 10m`), guided by what V8 knows of the code that ran.
import { join } from 'node:path';
import { root, run, setUp } from './setup.mjs';

setUp();
process.exit(await run([join(root, 'test', 'fuzz', 'main.ts'), ...process.argv.slice(2)]));
