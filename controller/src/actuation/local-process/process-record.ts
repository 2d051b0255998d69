import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { EnvironmentName, InstanceId } from '@switchback-ml/schemas';
import { z } from 'zod';
import { readState } from './state-file.ts';

/** What identifies one process: pids come again, but not with the same start time. */
export const ProcessIdentity = z.object({ pid: z.int().positive(), startTime: z.string() });
export type ProcessIdentity = z.infer<typeof ProcessIdentity>;

const Port = z.int().min(1).max(65_535);

/**
 * What is remembered of one runtime of an environment, across lives of the controller. Ports outlive every process, so
 * that an address stays what it was.
 */
export const ProcessRecord = z.object({
  /** Of the environment: all its runtimes listen there. */
  port: Port,
  /** Where this one alone answers; absent: an earlier version started it, and it is asked at `port`. */
  ownPort: Port.optional(),
  /** Of the environment; absent: gRPC is not spoken. */
  grpcPort: Port.optional(),
  /**
   * Null: none should be there. Without an identity it is about to be spawned: written down before, so that a
   * controller that dies in between still finds it.
   */
  process: z
    .object({
      identity: ProcessIdentity.nullable(),
      instanceId: InstanceId.nullable(),
      controllerUrl: z.string(),
      startedWith: z.string().nullable().default(null),
    })
    .nullable(),
});
export type ProcessRecord = z.infer<typeof ProcessRecord>;
export type RememberedProcess = NonNullable<ProcessRecord['process']>;

/** Where it alone answers, or else whoever listens where it does. */
export function ownPortOf({ port, ownPort = port }: ProcessRecord): number {
  return ownPort;
}

/** One of the runtimes of an environment, which are counted from 0. */
export interface ReplicaId {
  environment: EnvironmentName;
  replica: number;
}

/**
 * Of the runtime's state, its log, and what we remember of it. No environment's name holds a dot, and the first
 * runtime's folder is the environment's own.
 */
export function replicaFolder(directory: string, { environment, replica }: ReplicaId): string {
  return join(directory, replica === 0 ? environment : `${environment}.${replica}`);
}

export function processFile(directory: string, id: ReplicaId): string {
  return join(replicaFolder(directory, id), 'process.json');
}

/** Of the environment's first runtime, unless another is named. */
export function readProcessRecord(
  directory: string,
  environment: EnvironmentName,
  replica = 0,
): ProcessRecord | null {
  return readState(processFile(directory, { environment, replica }), ProcessRecord, 65_536);
}

/** Every environment of which something is remembered here. */
export function rememberedEnvironments(directory: string): EnvironmentName[] {
  const names = rememberedReplicas(directory).map(({ environment }) => environment);
  return [...new Set(names)];
}

/** Every runtime of which something is remembered here, those of one environment in their order. */
export function rememberedReplicas(directory: string): ReplicaId[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter(entry => entry.isDirectory())
      .flatMap(({ name }) => replicaIn(name) ?? [])
      .sort((a, b) => a.replica - b.replica);
  } catch {
    return [];
  }
}

function replicaIn(folder: string): ReplicaId | null {
  const [, name, number] = /^([^.]+)(?:\.([1-9]\d?))?$/.exec(folder) ?? [];
  const environment = EnvironmentName.safeParse(name).data;
  return environment === undefined ? null : { environment, replica: Number(number ?? 0) };
}
