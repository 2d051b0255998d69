/** Tells the story twice: lines of JSON for programs, a timeline for people. Never both on one stream. */
export interface Narrator {
  tell(event: string, facts: Record<string, unknown>, sentence: string): void;
}

/** stdout is JSON lines only; people read stderr. Otherwise people read stdout. */
export function narrator({ json, startedAt }: { json: boolean; startedAt: number }): Narrator {
  return {
    tell(event, facts, sentence) {
      const atMs = Date.now() - startedAt;
      if (json) process.stdout.write(`${JSON.stringify({ event, atMs, ...facts })}\n`);
      const people = json ? process.stderr : process.stdout;
      people.write(`${clock(atMs)}  ${sentence}\n`);
    },
  };
}

function clock(ms: number): string {
  const seconds = ms / 1000;
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${(seconds % 60).toFixed(1).padStart(4, '0')}`;
}
