import { readProcessRecord, rememberedReplicas } from '../../actuation/local-process/process-record.ts';
import { endProcess, killProcess } from '../../actuation/local-process/system-process.ts';
import type { Clock } from '../../clock.ts';

const GRACE_MS = 8000;

/** Ends the runtimes that a controller left behind because it could not end in order. */
export async function endLeftRuntimes(directory: string, clock: Clock): Promise<void> {
  const ended = rememberedReplicas(directory).map(async ({ environment, replica }) => {
    const identity = readProcessRecord(directory, environment, replica)?.process?.identity;
    if (!identity) return;
    const isGone = await endProcess(identity, { graceMs: GRACE_MS, clock, isCut: () => false });
    if (!isGone) await killProcess(identity, clock);
  });
  await Promise.all(ended);
}
