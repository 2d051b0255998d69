import { engineMemoryBytes } from './engine-memory.ts';
import type { KeptRuntimeOptions } from './options.ts';
import { replicaFolder } from './process-record.ts';
import type { RuntimeLog } from './runtime-log.ts';
import type { Ports, RuntimePorts } from './runtime-ports.ts';
import { type RuntimeCommand, spawnRuntime } from './spawn-runtime.ts';
import { type Settings, startedWith } from './started-with.ts';
import { identityOf } from './system-process.ts';
import type { WrittenRecord } from './written-record.ts';

export interface RuntimeStart {
  options: KeptRuntimeOptions;
  record: WrittenRecord;
  ports: RuntimePorts;
  log: RuntimeLog;
  settings: Settings;
  /** Told in words how it ended, also before this resolves. */
  onExit: (how: string) => void;
}

/**
 * Resolves once there is a process, written down, that has yet to say a word. Throws E_PORT_TAKEN, and E_CONFIG
 * for a program that can't be run; the ports are still held then.
 */
export async function startRuntime({ options, record, ports, log, settings, onExit }: RuntimeStart) {
  const { controllerUrl, redisFile } = options;
  const taken = await ports.take(record.latest, settings);
  const process = { instanceId: null, controllerUrl, startedWith: startedWith(settings, redisFile) };
  await record.write({ ...taken, process: { ...process, identity: null } });

  const pid = await spawnRuntime(runtimeCommand(options, taken, settings), onExit);
  log.spawned(pid, taken.port);
  // Where the system won't tell, the runtime itself will once it answers.
  const identity = await identityOf(pid).catch(() => null);
  await record.write({ ...taken, process: { ...process, identity } });
}

function runtimeCommand(
  options: KeptRuntimeOptions,
  ports: Ports,
  { cacheMemory }: Settings,
): RuntimeCommand {
  const { command, environment, controllerUrl, host, tokenFile, redisFile } = options;
  return {
    command,
    environment,
    controllerUrl,
    host,
    tokenFile,
    redisFile,
    ...ports,
    sharePort: sharePort(options),
    stateDirectory: replicaFolder(options.directory, options),
    cacheBytes: cacheMemory,
    engineMemoryBytes: engineMemoryBytes(options.runtimesInAll()),
  };
}

/** Who comes to others answers its first request when it can; who is alone says at once why it can't. */
function sharePort({ platform, siblings }: KeptRuntimeOptions): RuntimeCommand['sharePort'] {
  if (platform !== 'linux') return undefined;
  return siblings().some(({ isServing }) => isServing) ? 'when-ready' : 'at-once';
}
