import { plain } from '@switchback-ml/schemas';
import type { History, HistoryItem, RanAt, Then } from '../../command/index.ts';
import { clockTime } from './age.ts';
import { table } from './table.ts';

/** Newest first: when, which commit, which version, what became of it; of several deployments, which. */
export function historyText({ items }: Pick<History, 'items'>, now: number, isOfOne: boolean): string {
  if (items.length === 0) return 'git knows of no release there.\n';
  const rows = items.map(item => [
    clockTime(item.at, now),
    item.commit.slice(0, 7),
    ...(isOfOne ? [] : [`${item.environment}/${item.model}`]),
    item.version ?? 'removed',
    item.kind === 'record' ? (item.outcome ?? 'settled') : 'released',
    subjectText(item),
  ]);
  return `${table(rows)}\n`;
}

/** What ran at one time: a line each, then by whom and how it had come there. */
export function thenText({ at, items }: Pick<Then, 'at' | 'items'>): string {
  const head = `at ${momentText(at)}`;
  if (items.length === 0) return `${head}  git knows of nothing that ran there\n`;
  return `${[head, ...items.map(deploymentText)].join('\n\n')}\n`;
}

function deploymentText(item: RanAt): string {
  const { environment, model, release } = item;
  const lines = [
    `${environment}/${model}  ${sharesText(item)}`,
    ...(release === null
      ? []
      : [
          `  released    ${release.version ?? 'nothing'} at ${momentText(release.at)} by ${release.author}`,
          `  commit      ${release.commit.slice(0, 12)} ${release.subject}`,
        ]),
    ...rolloutLines(item),
  ];
  return lines.map(plain).join('\n');
}

function sharesText({ shares, from, release }: RanAt): string {
  const said = shares.map(({ version, weight, atMost }) =>
    atMost === undefined ? `${version} ${weight} %` : `${version} ${weight} to ${atMost} %`,
  );
  if (said.length === 0)
    return release?.version === null ? 'nothing' : 'git has no record yet of what served then';
  return from === 'record'
    ? said.join(', ')
    : `${said.join(', ')} as released; git has no record of its rollout`;
}

function rolloutLines({ rollout }: RanAt): string[] {
  if (rollout === null) return [];
  const { version, outcome, startedAt, at, verdict } = rollout;
  const found = verdict ? [`  verdict     ${verdict.verdict}: ${verdict.reason}`] : [];
  return [
    `  rollout     ${version} from ${momentText(startedAt)}, ${outcome.replace('-', ' ')} at ${momentText(at)}`,
    ...found,
  ];
}

function subjectText({ author, subject }: HistoryItem): string {
  return author ? `${subject} (${author})` : subject;
}

/** `2026-11-23 14:00:05Z`: somebody who asks for a moment wants it whole. */
function momentText(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')}Z`;
}
