import { LocalTarget } from '@switchback-ml/schemas';
import { z } from 'zod';

/** What a runtime was started with beyond its address; null: by a version that knew none of it. */
export type StartedWith = string | null;

/** What of a target is a matter of each runtime: not how many there are. */
const Settings = z.object({ cacheMemory: z.int().positive(), grpc: z.boolean() });
export type Settings = z.infer<typeof Settings>;

export function startedWith({ cacheMemory, grpc }: Settings, redisFile: string | undefined): string {
  return JSON.stringify({ cacheMemory, grpc, redisFile });
}

/** Null where it does not say, or not in our words. */
export function settingsIn(had: StartedWith): Settings | null {
  try {
    return Settings.safeParse(JSON.parse(had ?? 'null')).data ?? null;
  } catch {
    return null;
  }
}

/** Why one is of no use beside what is wanted; null: it is. */
export function whyStale(
  had: StartedWith,
  wanted: LocalTarget,
  redisFile: string | undefined,
): string | null {
  const isPlain = startedWith(wanted, redisFile) === startedWith(LocalTarget.parse({}), undefined);
  if (had === null && wanted.runtimes === 1 && isPlain) return null;
  if (had === null) return 'an earlier version started it, and it shares its port with nobody';
  return had === startedWith(wanted, redisFile) ? null : 'it was started with other settings';
}
