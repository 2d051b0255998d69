/** Offences against the import rules below `base`, and how many of our modules were read. */
export function importOffences(
  base?: string,
  within?: readonly string[],
): Promise<{
  violations: { from: string; to: string; rule: { name: string }; comment?: string }[];
  modules: number;
}>;
