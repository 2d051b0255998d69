import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { PLACES } from '../../controller/src/failpoint/failpoint.ts';
import type { Proof } from './entry.ts';
import { faults } from './index.ts';
import { scenarios } from './scenario/all.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const WANTED =
  'F01 F02 F03 F06 F09 F10 F11 F12 F14 F15 F16 F17 F18 F19 F20 F21 F22 F28 F31 F32 F33 F34 F35 F36 F37 F45 F46 F47 F48 F49 F50 F56 F57 F58';

test('every fault that one machine can have is mapped, and nothing else', () => {
  expect(Object.keys(faults)).toEqual(WANTED.split(' '));
});

test.each(Object.entries(faults))('%s is proven by what there is', (_, { proofs }) => {
  expect(proofs.flatMap(missing)).toEqual([]);
});

test('scenarios have names of their own', () => {
  const names = scenarios.map(({ name }) => name);

  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

test('the controller is killed at every place there is', () => {
  const killed = scenarios.flatMap(({ name }) => (name.startsWith('kill ') ? [name.slice(5)] : []));

  expect(killed).toEqual(PLACES);
});

function missing(proof: Proof): string[] {
  if ('scenarios' in proof)
    return proof.scenarios.filter(name => !scenarios.some(scenario => scenario.name === name));
  const path = join(root, proof.file);
  if (!existsSync(path)) return [proof.file];
  const text = readFileSync(path, 'utf8');
  return proof.tests.filter(name => !text.includes(name));
}
