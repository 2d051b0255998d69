import { BRANCH } from '../../../demo/place.ts';
import { MODEL } from '../../e2e/model-folder.fixture.ts';
import { twice } from '../../e2e/story.fixture.ts';
import { type Round, violate } from '../round.ts';
import type { Story } from '../story/story.ts';

const HISTORY_REF = 'refs/switchback/history';

interface Commit {
  subject: string;
  body: string;
  files: string[];
}

/** Each operation has at most one effect, refs only went forward, and the round left exactly what it should. */
export async function checkGit(round: Round, story: Story, losesRecords: boolean): Promise<void> {
  const { world } = round;
  const branch = await log(round, `refs/heads/${BRANCH}`);
  const records = await log(round, HISTORY_REF);
  for (const body of twice([...branch, ...records].map(commit => commit.body)))
    violate(round, 'one effect', 'each operation has one commit', `again: ${body.slice(0, 400)}`);
  for (const subject of story.commits(round))
    once(round, branch, subject, commit => commit.subject === subject);
  if (!losesRecords) for (const subject of story.records(round)) atLeastOnce(round, records, subject);
  checkRevert(round, story, branch);
  await checkForward(round, `refs/heads/${BRANCH}`);
  await checkForward(round, HISTORY_REF);
  const fsck = await world.git('fsck', '--no-dangling', '--no-progress').catch(String);
  if (/error|missing|corrupt/.test(fsck)) violate(round, 'remote is whole', 'git fsck is content', fsck);
}

function once(round: Round, commits: readonly Commit[], what: string, fits: (each: Commit) => boolean): void {
  const found = commits.filter(fits).length;
  if (found !== 1) violate(round, 'one effect', `one commit "${what}"`, `${found} of them`);
}

function atLeastOnce(round: Round, records: readonly Commit[], subject: string): void {
  if (!records.some(record => record.subject === subject))
    violate(round, 'complete record', `"${subject}" on the history ref`, 'none');
}

function checkRevert(round: Round, story: Story, branch: readonly Commit[]): void {
  const { subject, files } = story.revert(round);
  const own = branch.slice(branch.findIndex(commit => commit.subject === story.commits(round)[0]));
  const reverts = own.filter(
    commit => commit.subject.startsWith(`prod/${MODEL}: `) && commit.subject.endsWith(subject),
  );
  const holds = own.flatMap(commit =>
    commit.files.filter(file => /^A environments\/prod\/\w+\/holds\//.test(file)),
  );
  const seen = reverts.map(commit => `${commit.subject} (${commit.files.join(', ')})`).join('; ');
  const isWhole = files.every(file => reverts[0]?.files.includes(file));
  if (reverts.length !== 1 || holds.length !== 1 || !isWhole)
    violate(round, 'one revert and hold', `one commit with ${files.join(', ')}`, seen || 'none');
}

/** By the log of every move that the ref ever made, but for those that a person forced. */
async function checkForward(round: Round, ref: string): Promise<void> {
  const { world } = round;
  const moves = (await world.git('log', '--walk-reflogs', '--format=%H', ref).catch(() => ''))
    .trim()
    .split('\n');
  const heads = moves.filter(Boolean).toReversed();
  for (const [index, head] of heads.entries()) {
    const next = heads[index + 1];
    if (next === undefined || world.rewritten.includes(head)) continue;
    const isForward = await world.git('merge-base', '--is-ancestor', head, next).then(
      () => true,
      () => false,
    );
    if (!isForward) violate(round, 'only forward', `${ref} goes on from ${head}`, `it went to ${next}`);
  }
}

/** First parents, oldest first. */
async function log({ world }: Round, ref: string): Promise<Commit[]> {
  const format = '--format=%x01%s%x00%b%x00';
  const text = await world
    .git('log', '--reverse', '--first-parent', '--name-status', '--no-renames', format, ref)
    .catch(() => '');
  return text
    .split('\x01')
    .slice(1)
    .map(entry => {
      const [subject = '', body = '', files = ''] = entry.split('\0');
      return {
        subject,
        body,
        files: files
          .trim()
          .split('\n')
          .map(line => line.replace('\t', ' ')),
      };
    });
}
