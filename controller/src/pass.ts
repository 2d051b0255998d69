import type { Instant } from '@switchback-ml/schemas';
import type { ControlState } from './control-state.ts';
import { cycle } from './cycle.ts';
import type { DesiredReader } from './desired-reader.ts';
import { messageOf } from './error.ts';
import type { World } from './world.ts';

const AGAIN_MS = 1000;

export interface PassWorld {
  world: World;
  reader: Pick<DesiredReader, 'readAhead'>;
  state: ControlState;
  /** Of the lease; null while it is not held. */
  epoch: () => number | null;
  runner: { kick(): void };
  fenced: () => void;
}

/** One cycle under the lease. An error in it is told and tried again; it never ends the process. */
export async function pass(
  { world, reader, state, epoch, runner, fenced }: PassWorld,
  signal: AbortSignal,
): Promise<Instant> {
  const later = world.clock.now() + AGAIN_MS;
  try {
    await reader.readAhead(world.repository.latest(), signal);
    const held = epoch();
    if (held === null) {
      fenced();
      return later;
    }
    const outcome = await cycle(world, state, held, signal);
    runner.kick();
    if (outcome.kind === 'fenced') fenced();
    return 'wakeAt' in outcome ? outcome.wakeAt : later;
  } catch (error) {
    const stack = error instanceof Error ? error.stack : undefined;
    world.log.error({ reason: messageOf(error), stack }, 'a cycle failed, will try again');
    return later;
  }
}
