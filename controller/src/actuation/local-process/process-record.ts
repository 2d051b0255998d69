import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { EnvironmentName, InstanceId } from '@switchback-ml/schemas';
import { z } from 'zod';
import { readState } from './state-file.ts';

/** What identifies one process: pids come again, but not with the same start time. */
export const ProcessIdentity = z.object({ pid: z.int().positive(), startTime: z.string() });
export type ProcessIdentity = z.infer<typeof ProcessIdentity>;

/**
 * What is remembered of an environment's runtime, across lives of the controller. The port outlives every
 * process, so that an address stays what it was.
 */
export const ProcessRecord = z.object({
  port: z.int().min(1).max(65_535),
  /**
   * Null: none should be there. Without an identity it is about to be spawned: written down before, so that a
   * controller that dies in between still finds it.
   */
  process: z
    .object({
      identity: ProcessIdentity.nullable(),
      instanceId: InstanceId.nullable(),
      controllerUrl: z.string(),
    })
    .nullable(),
});
export type ProcessRecord = z.infer<typeof ProcessRecord>;

export function processFile(directory: string, environment: EnvironmentName): string {
  return join(directory, environment, 'process.json');
}

export function readProcessRecord(directory: string, environment: EnvironmentName): ProcessRecord | null {
  return readState(processFile(directory, environment), ProcessRecord, 65_536);
}

/** Every environment of which something is remembered here. */
export function rememberedEnvironments(directory: string): EnvironmentName[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter(entry => entry.isDirectory())
      .flatMap(({ name }) => EnvironmentName.safeParse(name).data ?? []);
  } catch {
    return [];
  }
}
