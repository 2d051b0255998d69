// The whole suite, and a plain last line that any machine can read. With CI=true a skip is a failure.
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { provide } from './provide.mjs';
import { root, run, setUp } from './setup.mjs';

setUp();
provide();
const report = join(root, '.cache', 'test-report.json');
rmSync(report, { force: true });
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const code = await run([
  vitest,
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
  ...process.argv.slice(2),
]);

const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(
  readFileSync(report, 'utf8'),
);
const skipped = numPendingTests + numTodoTests;
const skipFails = process.env.CI === 'true' && skipped > 0;
if (skipped > 0) console.log(`${skipped} skipped${skipFails ? ': in CI a skip is a failure' : ''}`);
const failed = numFailedTests + (skipFails ? skipped : 0) + (code !== 0 && numFailedTests === 0 ? 1 : 0);
console.log(`${numPassedTests} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
