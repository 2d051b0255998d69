import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nameOf } from './fuzz.ts';

const folder = fileURLToPath(new URL('./kept', import.meta.url));

/** Inputs that once were findings, by target; each later run begins with them. */
export function keptInputs(target: string): Buffer[] {
  const of = join(folder, target);
  return existsSync(of) ? readdirSync(of).map(name => readFileSync(join(of, name))) : [];
}

/** Where it is kept now, to be committed with what mends it. */
export function keep(target: string, input: Buffer): string {
  mkdirSync(join(folder, target), { recursive: true });
  const file = join(folder, target, nameOf(input));
  writeFileSync(file, input);
  return file;
}
