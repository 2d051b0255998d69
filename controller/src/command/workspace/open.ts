import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { openManagement } from '../controller/management.ts';
import { STATE_FILES } from '../controller/state-directory.ts';
import type { Outcome } from '../outcome.ts';
import { readPerson } from './person.ts';
import { repositoryTarget, type TargetOptions } from './target.ts';
import type { Look, Workspace } from './workspace.ts';
import { openWorkspace } from './workspace.ts';
import { type Planned, type WriteOptions, writeChange } from './write.ts';

/** What every verb that writes to git takes. */
export interface GitOptions extends TargetOptions {
  /** Pushed there for a pull request, instead of to the watched branch. */
  branch?: string | undefined;
  /** Where the command was called; its git settings say who the author is. */
  directory: string;
  environment: Readonly<Record<string, string | undefined>>;
  signal: AbortSignal;
}

/** One change of the model repository, made with the person's own git rights. */
export async function changeRepository(
  options: GitOptions,
  plan: (look: Look, workspace: Workspace) => Planned | Promise<Planned>,
): Promise<Outcome> {
  const { branch, signal } = options;
  await using workspace = await openFor(options);
  const write: WriteOptions = { plan: look => plan(look, workspace), toBranch: branch, signal };
  const outcome = await writeChange(workspace, write);
  if (outcome.git !== null) await nudge(options);
  return outcome;
}

async function openFor(options: GitOptions): Promise<Workspace> {
  const target = repositoryTarget(options);
  const person = await readPerson(options);
  const cache = existsSync(options.state) ? join(options.state, STATE_FILES.person) : null;
  return openWorkspace({ target, person, cache });
}

/** A hint to the controller that there is something to see; it would find it by itself. */
async function nudge({ state, signal }: GitOptions): Promise<void> {
  try {
    await openManagement(state).post('/nudge', undefined, z.unknown(), { signal, timeoutMs: 2000 });
  } catch {
    signal.throwIfAborted();
  }
}
