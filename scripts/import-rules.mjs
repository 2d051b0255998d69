// Runs dependency-cruiser and refuses a run that saw too little: with a compiler it can't use it reads no module
// and still ends well, so the number of modules is part of the check.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { cruise } from 'dependency-cruiser';
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config';

const root = fileURLToPath(new URL('..', import.meta.url));
const folders = ['schemas/src', 'controller/src', 'runtime/src', 'bench', 'demo', 'test'];

export async function importOffences(base = root, within = folders) {
  const { rules } = await import(pathToFileURL(join(root, '.dependency-cruiser.mjs')).href);
  const { output } = await cruise(
    within,
    {
      baseDir: base,
      ruleSet: { forbidden: rules },
      validate: true,
      tsPreCompilationDeps: true,
      doNotFollow: { path: 'node_modules' },
      enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types'] },
    },
    undefined,
    { tsConfig: extractTSConfig(join(root, 'tsconfig.json')) },
  );
  const read = output.modules.filter(
    module => module.source.endsWith('.ts') && !module.source.includes('node_modules'),
  );
  return { violations: output.summary.violations, modules: read.length };
}

function sourceFiles() {
  return folders
    .flatMap(folder => readdirSync(join(root, folder), { recursive: true }))
    .filter(name => name.endsWith('.ts')).length;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { violations, modules } = await importOffences();
  for (const { from, to, rule, comment } of violations) {
    console.error(`${from} must not import ${to}: ${comment ?? rule.name}`);
  }
  const expected = sourceFiles();
  if (modules < expected)
    console.error(`only ${modules} of ${expected} modules were read; the check is blind`);
  console.log(`${modules} modules, ${violations.length} offences`);
  process.exit(violations.length === 0 && modules >= expected ? 0 : 1);
}
