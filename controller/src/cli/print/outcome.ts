import { plain } from '@switchback-ml/schemas';
import type { Outcome } from '../../command/index.ts';

/** What it did, what git says of it, how to undo it, and what else is worth knowing. */
export function outcomeText({ did, git, undo, notes }: Outcome): string {
  const commit = git?.commit == null ? '' : `${git.commit.slice(0, 12)} `;
  const branch = git?.branch == null ? '' : ` (${git.branch})`;
  const lines = [
    did,
    ...(git === null ? [] : [`  git:  ${commit}${git.subject}${branch}`]),
    ...(undo === null ? [] : [`  undo: ${undo}`]),
    ...notes.map(note => `  note: ${note}`),
  ];
  return `${lines.map(plain).join('\n')}\n`;
}
