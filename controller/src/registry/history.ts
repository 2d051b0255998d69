import { type CommitSha, EnvironmentName, ModelName, VersionLabel } from '@switchback-ml/schemas';
import { z } from 'zod';
import { placeOf } from '../desired/place.ts';
import { settledFrom } from '../proposal/records.ts';
import { pastReleases } from '../proposal/release-history.ts';
import type { RepositoryView } from '../repository/view.ts';

/** One line of what ran where: a commit that changed a release, or a transition that the history ref records. */
export const HistoryItem = z.object({
  at: z.number(),
  environment: EnvironmentName,
  model: ModelName,
  kind: z.enum(['release', 'record']),
  /** The commit on the branch: of a record, the one that brought the version. */
  commit: z.string(),
  /** Null: the release was removed, or could not be read. */
  version: VersionLabel.nullable(),
  outcome: z.enum(['baked', 'rolled-back', 'superseded', 'undecided']).optional(),
  author: z.string().optional(),
  /** First line of the commit message. */
  subject: z.string(),
});
export type HistoryItem = z.infer<typeof HistoryItem>;

export interface HistoryFilter {
  environment?: EnvironmentName | undefined;
  model?: ModelName | undefined;
}

/** Releases and records, newest first. All of it comes from git, so it needs no ledger. */
export function historyItems(
  { history, records }: Pick<RepositoryView, 'history' | 'records'>,
  filter: HistoryFilter,
): HistoryItem[] {
  const isAsked = ({ environment, model }: { environment: EnvironmentName; model: ModelName }): boolean =>
    (filter.environment === undefined || filter.environment === environment) &&
    (filter.model === undefined || filter.model === model);
  return merged(releaseItems(history, isAsked), recordItems(records, isAsked));
}

/** Each line keeps its own order, which no clock of an author can bend; the two are fitted together by time. */
function merged(releases: HistoryItem[], records: HistoryItem[]): HistoryItem[] {
  const items: HistoryItem[] = [];
  let next = 0;
  for (const release of releases) {
    while (next < records.length && records[next]!.at >= release.at) items.push(records[next++]!);
    items.push(release);
  }
  return [...items, ...records.slice(next)];
}

type Asked = (of: { environment: EnvironmentName; model: ModelName }) => boolean;

function releaseItems(history: RepositoryView['history'], isAsked: Asked): HistoryItem[] {
  const rank = ({ commit }: HistoryItem): number => history.commits.get(commit as CommitSha) ?? 0;
  const items = [...history.paths.keys()].flatMap(path => {
    const place = placeOf(path);
    if (place.kind !== 'release' || !isAsked(place)) return [];
    const { environment, model } = place;
    return pastReleases(path, history)
      .map(({ change: { commit, at, author, subject }, version }) => ({
        at,
        environment,
        model,
        kind: 'release' as const,
        commit,
        version,
        author,
        subject,
      }))
      .reverse();
  });
  return items.sort((a, b) => rank(b) - rank(a));
}

function recordItems(records: RepositoryView['records'], isAsked: Asked): HistoryItem[] {
  return records
    .flatMap(({ body, subject }) => {
      const settled = settledFrom(body);
      const deployment = settled && deploymentOf(settled.subject);
      if (!settled || !deployment || !isAsked(deployment)) return [];
      const { at, commit, outcome, revision } = settled;
      const item = { at, ...deployment, kind: 'record' as const, commit, version: revision.version, outcome };
      return [{ ...item, subject }];
    })
    .reverse();
}

function deploymentOf(subject: string): { environment: EnvironmentName; model: ModelName } | null {
  const [environment, model] = subject.split('/');
  const parsed = z
    .object({ environment: EnvironmentName, model: ModelName })
    .safeParse({ environment, model });
  return parsed.success ? parsed.data : null;
}
