import {
  type CommitSha,
  type EnvironmentName,
  type Instant,
  type ModelName,
  Verdict,
} from '@switchback-ml/schemas';
import { z } from 'zod';
import type { RepositoryHistory } from '../desired/desired-state.ts';
import { placeOf } from '../desired/place.ts';
import { settledFrom } from '../proposal/records.ts';
import { pastReleases } from '../proposal/release-history.ts';
import type { RepositoryView } from '../repository/view.ts';
import type { Settled } from '../rollout/rollout-state.ts';
import { HistoryItem } from './history.ts';
import { Share, sharesAt } from './shares-at.ts';

/** What ran in one deployment at one time, as far as git tells. */
export const RanAt = HistoryItem.pick({ environment: true, model: true }).extend({
  /** The release that git held then; null: none, it was removed, or it could not be read. */
  release: HistoryItem.pick({
    at: true,
    commit: true,
    version: true,
    author: true,
    subject: true,
  }).nullable(),
  /** Who answered requests. Empty: nobody, or git has no record that tells. */
  shares: z.array(Share),
  /** Where the shares come from. release: no record tells of it, so what was released is all that is known. */
  from: z.enum(['record', 'release', 'nothing']),
  /** The rollout that was under way or was the last before, and how it ended. */
  rollout: z
    .object({
      version: Share.shape.version,
      outcome: HistoryItem.shape.outcome.unwrap(),
      startedAt: z.number(),
      at: z.number(),
      verdict: Verdict.nullable(),
    })
    .nullable(),
});
export type RanAt = z.infer<typeof RanAt>;

export interface RanAtRequest {
  environment?: EnvironmentName | undefined;
  model?: ModelName | undefined;
  at: Instant;
  now: Instant;
}

type View = Pick<RepositoryView, 'history' | 'records'>;

/** Every deployment that git knew of at that time, in order of its name. */
export function ranAt({ history, records }: View, { environment, model, at, now }: RanAtRequest): RanAt[] {
  const times = landingTimes(history, now);
  const settled = records.flatMap(({ body }) => settledFrom(body) ?? []);
  const releases = releasesBySubject(history);
  const subjects = new Set([...releases.keys(), ...settled.map(({ subject }) => subject)]);
  return [...subjects].sort().flatMap(subject => {
    const [ofEnvironment, ofModel] = subject.split('/') as [EnvironmentName, ModelName];
    if (environment !== undefined && environment !== ofEnvironment) return [];
    if (model !== undefined && model !== ofModel) return [];
    const release = newestBy(releases.get(subject) ?? [], times, at);
    const own = settled.filter(record => record.subject === subject);
    const { shares, record } = sharesAt({ release, records: own, at });
    if (release === null && record === null) return [];
    return [
      {
        environment: ofEnvironment,
        model: ofModel,
        release,
        ...(shares === null
          ? {
              shares: released(release),
              from: release?.version ? ('release' as const) : ('nothing' as const),
            }
          : { shares, from: 'record' as const }),
        rollout: record === null ? null : rolloutOf(record),
      },
    ];
  });
}

/** When git began to know anything; null: it knows nothing yet. */
export function firstKnownAt({ history, records }: View, now: Instant): Instant | null {
  const first = [...landingTimes(history, now).values()].reduce(
    (a, b) => Math.min(a, b),
    Number.POSITIVE_INFINITY,
  );
  const recorded = records.flatMap(({ body }) => settledFrom(body)?.startedAt ?? []);
  const known = Math.min(first, ...recorded);
  return Number.isFinite(known) ? known : null;
}

/**
 * When each commit can have come to the branch: never before its parents, whatever its author's clock said. A date
 * that is still to come is no date.
 */
function landingTimes(history: RepositoryHistory, now: Instant): Map<CommitSha, Instant> {
  const said = new Map<CommitSha, Instant>();
  for (const changes of history.paths.values()) for (const { commit, at } of changes) said.set(commit, at);
  const rank = (commit: CommitSha): number => history.commits.get(commit) ?? 0;
  const times = new Map<CommitSha, Instant>();
  let newest = 0;
  for (const [commit, at] of [...said].sort(([a], [b]) => rank(a) - rank(b))) {
    if (at <= now) newest = Math.max(newest, at);
    times.set(commit, newest);
  }
  return times;
}

type Released = NonNullable<RanAt['release']>;

function releasesBySubject(history: RepositoryHistory): Map<string, Released[]> {
  const releases = new Map<string, Released[]>();
  for (const path of history.paths.keys()) {
    const place = placeOf(path);
    if (place.kind !== 'release') continue;
    const subject = `${place.environment}/${place.model}`;
    const past = pastReleases(path, history).map(({ change: { commit, at, author, subject }, version }) => ({
      at,
      commit,
      version,
      author,
      subject,
    }));
    const rank = ({ commit }: Released): number => history.commits.get(commit as CommitSha) ?? 0;
    releases.set(
      subject,
      [...(releases.get(subject) ?? []), ...past].sort((a, b) => rank(a) - rank(b)),
    );
  }
  return releases;
}

/** The newest in the order of the branch among those that had landed by then. */
function newestBy(
  releases: readonly Released[],
  times: ReadonlyMap<CommitSha, Instant>,
  at: Instant,
): Released | null {
  return releases.findLast(({ commit }) => (times.get(commit as CommitSha) ?? Infinity) <= at) ?? null;
}

function released(release: Released | null): Share[] {
  return release?.version ? [{ version: release.version, weight: 100 }] : [];
}

function rolloutOf({ revision, outcome, startedAt, at, verdict }: Settled): NonNullable<RanAt['rollout']> {
  return { version: revision.version, outcome, startedAt, at, verdict };
}
