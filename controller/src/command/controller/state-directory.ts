import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { SwitchbackError } from '../../error.ts';

const LARGEST_FILE_BYTES = 64 * 1024;

/** `controller.json`: written by the controller once it listens, removed when it stops in order. */
export const ControllerFile = z.object({
  address: z.url(),
  pid: z.int().positive(),
  repository: z.string(),
  branch: z.string(),
  root: z.string(),
  startedAt: z.union([z.number(), z.string()]),
});
export type ControllerFile = z.infer<typeof ControllerFile>;

/** Where things stand in the state directory of one controller. */
export const STATE_FILES = {
  controller: 'controller.json',
  log: 'controller.log',
  /** Programs as Node has compiled them; may be deleted at any time. */
  code: 'code',
  lock: 'up.json',
  operatorToken: 'operator-token',
  runtimeToken: 'runtime-token',
  keys: 'keys',
  runtimes: 'runtimes',
  /** In the folder of each runtime. */
  runtimeLog: 'runtime.log',
  person: 'person',
} as const;

/** What the controller says of itself, or null when none has written it here. */
export function readControllerFile(state: string): ControllerFile | null {
  const text = readBounded(join(state, STATE_FILES.controller));
  if (text === null) return null;
  try {
    return ControllerFile.parse(JSON.parse(text));
  } catch (cause) {
    const file = join(state, STATE_FILES.controller);
    throw new SwitchbackError('E_CONFIG', `${file} can not be read; stop the controller and start it anew.`, {
      cause,
    });
  }
}

/** A secret of the state directory. Throws E_CONFIG when it is not there or not ours to read. */
export function readSecret(state: string, ...name: string[]): string {
  const file = join(state, ...name);
  try {
    const text = readBounded(file)?.trim();
    if (text) return text;
  } catch (cause) {
    throw new SwitchbackError(
      'E_CONFIG',
      `${file} can not be read; run this as the user who started the controller.`,
      {
        cause,
      },
    );
  }
  throw new SwitchbackError(
    'E_CONFIG',
    `${file} is missing; name the state directory of the controller by --state.`,
  );
}

function readBounded(file: string): string | null {
  try {
    if (statSync(file).size > LARGEST_FILE_BYTES)
      throw new SwitchbackError('E_CONFIG', `${file} is too large.`);
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
