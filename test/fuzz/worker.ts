import { parentPort, workerData } from 'node:worker_threads';
import { Coverage } from './coverage.ts';
import { fuzz } from './fuzz.ts';
import { planted } from './planted.fixture.ts';
import { SharedInput } from './shared-input.ts';
import { targets } from './targets.ts';

const { name, seed, inputs, buffer, kept } = workerData as {
  name: string;
  seed: number;
  inputs: number;
  buffer: SharedArrayBuffer;
  kept: Uint8Array[];
};
const target = name === 'planted' ? planted : targets[name];
if (target === undefined) throw new Error(`there is no target "${name}"`);
const shared = new SharedInput(buffer);
let left = inputs;
using coverage = new Coverage(
  /\/(controller|runtime|schemas)\/src\/|\/test\/fuzz\/planted|\/node_modules\/(yaml|zod|csv-parse)\//,
);

const result = await fuzz({
  target,
  coverage,
  seed,
  onInput: input => {
    left -= 1;
    shared.begin(input);
  },
  goesOn: () => left > 0 && !shared.isStopped(),
  kept: kept.map(bytes => Buffer.from(bytes)),
});
parentPort?.postMessage(result);
