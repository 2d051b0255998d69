// Whether a server speaks the Open Inference Protocol, seen from outside (`npm run conformance -- --url http://…`).
import { join } from 'node:path';
import { root, run, setUp } from './setup.mjs';

setUp();
process.exit(await run([join(root, 'test', 'conformance', 'main.ts'), ...process.argv.slice(2)]));
