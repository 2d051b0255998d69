import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { importOffences } from '../../scripts/import-rules.mjs';

/** One offence a file, by the rule it breaks; and the lawful neighbours that they import. */
const OFFENCES: Record<string, [file: string, imports: string]> = {
  'schemas-alone': ['schemas/src/identity.ts', 'node:fs'],
  'pure-desired': ['controller/src/desired/desired.ts', 'node:fs'],
  'pure-rollout': ['controller/src/rollout/rollout.ts', '../plan/plan.ts'],
  'pure-proposal': ['controller/src/proposal/proposal.ts', '../ledger/memory/index.ts'],
  'adapters-of-ledger': ['controller/src/cycle.ts', './ledger/memory/index.ts'],
  'adapters-of-repository': ['controller/src/server/server.ts', '../repository/git-cli/index.ts'],
  'controller-and-runtime-apart': ['controller/src/settle.ts', '../../runtime/src/main.ts'],
  'runtime-and-controller-apart': ['runtime/src/front.ts', '../../controller/src/plan/plan.ts'],
  'observer-outside': ['demo/observer/observer.ts', '../../controller/src/plan/plan.ts'],
};
const LAWFUL: Record<string, string> = {
  'controller/src/plan/plan.ts': "import '../rollout/step.ts';\nexport const plan = 1;\n",
  'controller/src/rollout/step.ts': 'export const step = 1;\n',
  'controller/src/ledger/memory/index.ts': 'export const memory = 1;\n',
  'controller/src/repository/git-cli/index.ts': 'export const git = 1;\n',
  'controller/src/main.ts': "import './ledger/memory/index.ts';\nimport './repository/git-cli/index.ts';\n",
  'runtime/src/main.ts': 'export const main = 1;\n',
  'controller/src/a.ts': "import './b.ts';\nexport const a = 1;\n",
  'controller/src/b.ts': "import './a.ts';\nexport const b = 1;\n",
};

let folder: string;
let found: { from: string; rule: { name: string }; comment?: string }[];
let modules: number;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'switchback-rules-'));
  for (const [file, imports] of Object.values(OFFENCES))
    write(file, `import '${imports}';\nexport const offence = 1;\n`);
  for (const [file, text] of Object.entries(LAWFUL)) write(file, text);
  ({ violations: found, modules } = await importOffences(folder, [
    'schemas',
    'controller',
    'runtime',
    'demo',
  ]));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(Object.entries(OFFENCES))('%s bites, with a sentence for whoever meets it', (rule, [file]) => {
  const own = found.filter(({ from }) => from === file);

  expect(own.map(offence => offence.rule.name)).toContain(rule);
});

test('a cycle of imports bites', () => {
  expect(found.filter(({ rule }) => rule.name === 'no-cycles').map(({ from }) => from)).toContain(
    'controller/src/a.ts',
  );
});

test('what is lawful is left alone, and every module was read', () => {
  const lawful = Object.keys(LAWFUL).filter(file => !/\/[ab]\.ts$/.test(file));

  expect(found.filter(({ from }) => lawful.includes(from))).toEqual([]);
  expect(modules).toBe(Object.keys(LAWFUL).length + Object.keys(OFFENCES).length);
});

function write(file: string, text: string): void {
  mkdirSync(join(folder, dirname(file)), { recursive: true });
  writeFileSync(join(folder, file), text);
}
