import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { profileOnSignal } from './profiler.ts';
import { profilesOf } from './profiles-folder.ts';

/*
 * The runtime's own program, with a profiler in it and in every engine that it starts. An engine gets nothing of the
 * environment, only this process's own program: so that names a script that puts the profiler before the engine's.
 */
const ENGINE = new URL('./profiled-engine.ts', import.meta.url);

const { values } = parseArgs({ strict: false, options: { state: { type: 'string' } } });
const folder = profilesOf(String(values['state']));
mkdirSync(folder, { recursive: true });
const script = join(folder, 'node');
ENGINE.searchParams.set('folder', folder);
writeFileSync(script, `#!/bin/sh\nexec ${quoted(process.execPath)} --import ${quoted(ENGINE.href)} "$@"\n`, {
  mode: 0o700,
});
profileOnSignal(folder);
process.execPath = script;
process.argv[1] = fileURLToPath(new URL('../../../../runtime/src/main.ts', import.meta.url));
await import('../../../../runtime/src/main.ts');

/** For a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
