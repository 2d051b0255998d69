import type { HostileInputs } from '../test/hostile/entry.ts';

/** What is wrong with the index, a sentence each, and how many inputs are tested here or left to whom. */
export function judgeIndex(
  groups: readonly { letter: string; ids: number; inputs: HostileInputs; also?: HostileInputs }[],
  read?: (file: string) => string | null,
): { offences: string[]; mapped: number; tested: number; left: ReadonlyMap<string, number> };
