import { BRANCH } from '../../demo/place.ts';
import type { CommitWatch } from './watch/commits.ts';

/** What holds of git whatever was done: refs only went forward, each operation has one commit, every object is whole. */
export async function brokenInGit(commits: CommitWatch): Promise<string[]> {
  const broken = commits.rewrites.map(rewrite => `history was rewritten: ${rewrite}`);
  for (const ref of [`refs/heads/${BRANCH}`, 'refs/switchback/history']) {
    const bodies = (await commits.git('log', '--format=%B%x00', ref)).split('\0');
    broken.push(...twice(bodies).map(operation => `operation ${operation} has two commits on ${ref}`));
  }
  const words = await commits.git('fsck', '--no-dangling', '--no-progress').catch(String);
  if (/error|missing|corrupt/.test(words)) broken.push(`git fsck of the remote: ${words.slice(0, 500)}`);
  return broken;
}

export function twice(bodies: readonly string[]): string[] {
  const operations = bodies.flatMap(body => /^Switchback-Operation: (\S+)$/m.exec(body)?.[1] ?? []);
  return operations.filter((operation, index) => operations.indexOf(operation) < index);
}
