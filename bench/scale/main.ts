import { parseArgs } from 'node:util';
import { type Figures, measure } from './measure.ts';

/*
 * `npm run bench:scale`: what the control plane costs with 1,000 and 10,000 models in three environments. Real git and
 * ledger, no runtimes. `--json` ends with one line of figures.
 */
const { values } = parseArgs({
  options: { models: { type: 'string', default: '1000,10000' }, json: { type: 'boolean', default: false } },
});
const sizes = values.models.split(',').map(Number);
if (sizes.some(size => !Number.isInteger(size) || size < 1 || size > 100_000)) {
  process.stderr.write('--models takes numbers from 1 to 100000, such as 1000,10000\n');
  process.exit(2);
}

const all: Figures[] = [];
for (const models of sizes) all.push(await measure(models, what => process.stderr.write(`${what} …\n`)));

const rows: [string, (figures: Figures) => string][] = [
  ['first start, from nothing', ({ firstStartMs }) => ms(firstStartMs)],
  ['restart', ({ restartMs }) => ms(restartMs)],
  ['pass with nothing to do', ({ idlePassMs }) => ms(idlePassMs)],
  ['one release: push seen', ({ changeSeenMs }) => ms(changeSeenMs)],
  ['one release: decided, published', ({ changePassMs }) => ms(changePassMs)],
  ['memory', ({ residentMiB }) => `${Math.round(residentMiB)} MiB`],
];
const column = 14;
process.stderr.write(
  `\n${''.padEnd(34)}${all.map(({ models }) => `${models} models`.padStart(column)).join('')}\n`,
);
for (const [name, show] of rows)
  process.stderr.write(`${name.padEnd(34)}${all.map(figures => show(figures).padStart(column)).join('')}\n`);
if (values.json) process.stdout.write(`${JSON.stringify(all)}\n`);

function ms(value: number): string {
  return value < 10_000 ? `${value.toFixed(value < 10 ? 1 : 0)} ms` : `${(value / 1000).toFixed(1)} s`;
}
