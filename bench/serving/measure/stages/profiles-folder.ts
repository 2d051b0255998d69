/** Where a runtime with a profiler in it leaves what it recorded: beside its state folder, which both sides know. */
export function profilesOf(state: string): string {
  return `${state}.profiles`;
}
