import { runtimeName } from '@switchback-ml/schemas';
import type { RuntimeChange } from '../actuation.ts';
import type { KeptRuntimeOptions } from './options.ts';

export type RuntimeNews = (kind: RuntimeChange['kind'], reason: string, pid: number | null) => void;

/** Tells the feed what became of one runtime, by its name where the environment has several. */
export function runtimeNews({ environment, replica, siblings, feed }: KeptRuntimeOptions): RuntimeNews {
  return (kind, reason, pid) => {
    const isOneOfMany = replica > 0 || siblings().length > 0;
    const told = isOneOfMany ? `${runtimeName(environment, replica)}: ${reason}` : reason;
    feed.add({ kind, environment, reason: told, pid });
  };
}
