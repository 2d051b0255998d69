import { readFileSync, statSync } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { z } from 'zod';

/** Null when it is not there, too large, or not what it should be: whoever reads begins anew then. */
export function readState<T>(file: string, schema: z.ZodType<T>, limitBytes: number): T | null {
  try {
    if (statSync(file).size > limitBytes) return null;
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
}

/** Whole or not at all, also when the machine stops in the middle; readable by its owner alone. */
export async function writeState(file: string, value: unknown): Promise<void> {
  const temporary = `${file}.new`;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  {
    await using handle = await open(temporary, 'w', 0o600);
    await handle.writeFile(JSON.stringify(value));
    await handle.sync();
  }
  await rename(temporary, file);
}

export async function removeState(file: string): Promise<void> {
  await rm(file, { force: true });
}
