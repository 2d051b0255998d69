import type { EnvironmentName, LocalTarget } from '@switchback-ml/schemas';
import type { DesiredState } from '../desired/desired-state.ts';

/** How git wants the runtimes of each environment that can be read. */
export function localTargets({ environments }: DesiredState): ReadonlyMap<EnvironmentName, LocalTarget> {
  return new Map([...environments].flatMap(([name, { local }]) => (local ? [[name, local] as const] : [])));
}
