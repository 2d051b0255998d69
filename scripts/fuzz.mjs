// Every parser for as long as asked (`npm run fuzz -- --for 10m`), guided by what V8 knows of the code that ran.
import { join } from 'node:path';
import { root, run, setUp } from './setup.mjs';

setUp();
// Code that was kept compiled is counted less exactly, and the counts are what guides it.
const env = { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1' };
process.exit(await run([join(root, 'test', 'fuzz', 'main.ts'), ...process.argv.slice(2)], { env }));
