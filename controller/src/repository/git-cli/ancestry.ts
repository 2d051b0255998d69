import type { CommitSha } from '@switchback-ml/schemas';
import { SwitchbackError } from '../../error.ts';
import { damaged, judgeWords } from './damage.ts';
import { FATAL, type Git } from './run.ts';
import { oneLine } from './words.ts';

/** Whether `ancestor` is `descendant` or reachable from it. Commits that nobody ever saw: false. */
export async function isAncestor(
  git: Git,
  ancestor: CommitSha,
  descendant: CommitSha,
  signal: AbortSignal,
): Promise<boolean> {
  const args = ['merge-base', '--is-ancestor', '--end-of-options', ancestor, descendant];
  const { code, stderr } = await git.run({ args, signal, accept: [0, 1, FATAL] });
  if (code !== FATAL) return code === 0;
  const words = oneLine(stderr);
  switch (judgeWords(stderr)) {
    case 'damaged':
      throw damaged(words);
    case 'suspect':
      await checkLine(git, descendant, signal);
      return false;
    case 'none':
      throw new SwitchbackError('E_GIT_FAILED', `git merge-base failed: ${words}`);
  }
}

/** A clone that lost commits must not pass for a history that was rewritten. */
async function checkLine(git: Git, descendant: CommitSha, signal: AbortSignal): Promise<void> {
  const exists = await git.run({ args: ['cat-file', '-e', `${descendant}^{commit}`], signal, accept: 'any' });
  if (exists.code !== 0) return;
  const args = ['rev-list', '--quiet', '--end-of-options', descendant];
  const line = await git.run({ args, signal, accept: 'any' });
  if (line.code !== 0) throw damaged(oneLine(line.stderr));
}
