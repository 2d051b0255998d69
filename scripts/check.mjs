// Everything that can be said of the code without running it.
import { join } from 'node:path';
import { root, run, setUp } from './setup.mjs';

const bin = (pkg, file) => join(root, 'node_modules', pkg, file);

setUp();
const checks = [
  ['format and lint', [bin('@biomejs/biome', 'bin/biome'), 'ci', '--error-on-warnings', '.']],
  ['types', [bin('typescript', 'bin/tsc'), '-p', '.']],
  ['import rules', [join(root, 'scripts/import-rules.mjs')]],
  ['hostile inputs', [join(root, 'scripts/hostile.mjs')]],
  ['dead code', [bin('knip', 'bin/knip.js')]],
];

let failed = 0;
for (const [name, args] of checks) {
  const startedAt = Date.now();
  const code = await run(args);
  console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${name} (${((Date.now() - startedAt) / 1000).toFixed(1)} s)`);
  if (code !== 0) failed += 1;
}
process.exit(failed === 0 ? 0 : 1);
