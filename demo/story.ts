import type { Narrator } from './narrator.ts';
import type { SeenEvent } from './observer/event-watch.ts';
import { type RollbackFacts, rollbackFacts } from './observer/facts.ts';
import type { SeenCommit } from './observer/git-watch.ts';
import type { Observer } from './observer/observer.ts';

/** Whoever changes things in the story: registers a candidate as a version and pushes it. */
export interface Author {
  /** Resolves with the time when the push had been accepted. */
  register(candidate: string, version: string): Promise<number>;
}

export interface StoryFacts extends RollbackFacts {
  story: string;
  requests: number;
  failedRequests: number;
  pushToServingMs: number;
  commitToProdMs: number;
  revertCommit: string;
  /** Empty: the story went as promised. */
  broken: string[];
}

const MODEL = 'screening';
const GOOD = '1.1.0';
const BAD = '1.2.0';
const FIXED = '1.2.1';
const PATIENCE_MS = 60_000;
const WATCH_AFTER_MS = 5_000;

/** A good version reaches prod, a bad one follows and leaves it again, and a fixed one goes through. */
export async function tellStory(
  story: 'slow' | 'nan',
  observer: Observer,
  author: Author,
  { tell }: Narrator,
): Promise<StoryFacts> {
  const told = { observer, author, tell };
  await baked(observer, '1.0.0');
  tell('steady', { version: '1.0.0' }, 'prod runs 1.0.0 · five models, three environments, under traffic');

  const good = await reachProd(told, 'better', GOOD);
  await baked(observer, GOOD);
  tell('baked', { version: GOOD }, `${GOOD} has baked in prod and is last good`);

  await author.register(story, BAD);
  tell('pushed', { version: BAD, story }, `${BAD} is pushed · ${TROUBLE[story]}`);
  const rollback = await leaveProd(told);
  await stayAway(told, rollback.revert);

  const fixed = await reachProd(told, 'fixed', FIXED);
  await baked(observer, FIXED);
  tell('baked', { version: FIXED }, `${FIXED} went through: prod is healthy again`);

  const failed = observer.answers.failed();
  return {
    story,
    requests: observer.answers.all.length,
    failedRequests: failed.length,
    pushToServingMs: Math.max(good.pushToServingMs, fixed.pushToServingMs),
    commitToProdMs: Math.max(good.commitToProdMs, fixed.commitToProdMs),
    ...factsOf(observer, rollback),
    revertCommit: rollback.revert.sha,
    broken: [
      ...rollback.broken,
      ...failed
        .slice(0, 5)
        .map(
          ({ environment, model, status, failure }) =>
            `${environment}/${model} answered ${status} ${failure ?? ''}`,
        ),
    ],
  };
}

const TROUBLE = {
  slow: 'some of its answers take twice as long as prod may',
  nan: 'for some real rows its answer is no number',
};

interface Told {
  observer: Observer;
  author: Author;
  tell: Narrator['tell'];
}

async function reachProd({ observer, author, tell }: Told, candidate: string, version: string) {
  const inDev = observer.answers.next(`${version} in dev`, answeredBy('dev', version), PATIENCE_MS);
  // Awaited below; if registering fails, that is the error to tell.
  inDev.catch(() => {});
  const pushedAt = await author.register(candidate, version);
  tell('pushed', { version }, `${version} is pushed`);
  const pushToServingMs = (await inDev).atMs - pushedAt;
  tell(
    'serving',
    { environment: 'dev', version, pushToServingMs },
    `dev answers from ${version}, ${pushToServingMs} ms after the push`,
  );

  const staged = await promotion(observer, 'staging', version);
  tell(
    'promoted',
    { environment: 'staging', version, commit: staged.sha },
    `staging: ${staged.subject} (${staged.sha.slice(0, 7)})`,
  );
  const toProd = await promotion(observer, 'prod', version);
  tell(
    'promoted',
    { environment: 'prod', version, commit: toProd.sha },
    `prod: ${toProd.subject} (${toProd.sha.slice(0, 7)}), canary begins`,
  );
  const full = await observer.event(
    `${version} at 100 % in prod`,
    onProd('rollout.promoted', version),
    PATIENCE_MS,
  );
  const commitToProdMs = full.at - pushedAt;
  tell(
    'serving',
    { environment: 'prod', version, commitToProdMs },
    `prod gives ${version} all its traffic, ${(commitToProdMs / 1000).toFixed(1)} s after the push`,
  );
  return { pushToServingMs, commitToProdMs };
}

async function leaveProd({ observer, tell }: Told) {
  const toProd = await promotion(observer, 'prod', BAD);
  tell(
    'promoted',
    { environment: 'prod', version: BAD, commit: toProd.sha },
    `prod: ${toProd.subject} (${toProd.sha.slice(0, 7)}), canary begins`,
  );
  const verdict = await observer.event(`a verdict on ${BAD}`, onProd('verdict.degraded', BAD), PATIENCE_MS);
  tell(
    'verdict',
    { version: BAD, verdict: 'degraded', reason: verdict.data['reason'] },
    `degraded: ${verdict.data['reason']}`,
  );
  const revert = await observer.commit(
    'the revert commit',
    ({ subject }) => subject.startsWith(`prod/${MODEL}: back to ${GOOD}`),
    PATIENCE_MS,
  );
  const facts = factsOf(observer, { verdict, revert });
  tell(
    'traffic-back',
    { version: GOOD, ...facts },
    `traffic is back on ${GOOD}, ${facts.verdictToTrafficBackMs} ms after the verdict`,
  );

  const hold = await observer.git.show(revert.sha, `environments/prod/${MODEL}/holds/${BAD}.yaml`);
  const pushed = `${facts.verdictToRevertPushedMs} ms after the verdict`;
  tell(
    'revert',
    { commit: revert.sha, subject: revert.subject, files: revert.files, hold },
    `${revert.sha.slice(0, 7)} ${revert.subject} · in the observer's clone ${pushed}`,
  );
  return { verdict, revert, broken: revertProblems(revert, hold) };
}

/** Asked again at the end: an answer that was under way when the revert was seen still counts. */
function factsOf(
  observer: Observer,
  { verdict, revert }: { verdict: SeenEvent; revert: SeenCommit },
): RollbackFacts {
  const bad = { environment: 'prod', model: MODEL, version: BAD };
  return rollbackFacts(observer, bad, verdict.at, revert.seenAtMs);
}

/** The revert's diff is exactly release and hold, and the hold carries evidence. */
function revertProblems({ files, body }: SeenCommit, hold: string): string[] {
  const expected = [
    `A environments/prod/${MODEL}/holds/${BAD}.yaml`,
    `M environments/prod/${MODEL}/release.yaml`,
  ];
  const broken: string[] = [];
  if (files.toSorted().join() !== expected.join()) broken.push(`the revert touches ${files.join(', ')}`);
  if (!body.includes('This reverts commit')) broken.push('the revert does not say what it reverts');
  if (!hold.includes('candidateBad')) broken.push('the hold carries no evidence');
  return broken;
}

/** The digest is on hold: for a while nothing brings it back, though staging still runs it. */
async function stayAway({ observer, tell }: Told, revert: SeenCommit): Promise<void> {
  const from = Date.now();
  await new Promise(resolve => setTimeout(resolve, WATCH_AFTER_MS));
  const again = observer.answers.of('prod', MODEL, BAD).filter(({ sentAt }) => sentAt > from);
  const newer = observer.commits
    .slice(observer.commits.indexOf(revert) + 1)
    .filter(({ subject }) => subject.includes(`promote ${BAD}`));
  if (again.length > 0 || newer.length > 0) throw new Error(`${BAD} came back although it is on hold`);
  tell(
    'held',
    { version: BAD, watchedMs: WATCH_AFTER_MS },
    `${BAD} is on hold: staging still runs it, nothing brings it back to prod`,
  );
}

function baked(observer: Observer, version: string) {
  return observer.event(`${version} baked in prod`, onProd('rollout.baked', version), PATIENCE_MS);
}

function promotion(observer: Observer, environment: string, version: string): Promise<SeenCommit> {
  const subject = `${environment}/${MODEL}: promote ${version}`;
  return observer.commit(subject, commit => commit.subject === subject, PATIENCE_MS);
}

const answeredBy =
  (environment: string, version: string) =>
  (answer: { environment: string; model: string; version: string | null }) =>
    answer.environment === environment && answer.model === MODEL && answer.version === version;

const onProd =
  (type: string, version: string) =>
  (event: { type: string; subject: string; data: Record<string, unknown> }) =>
    event.type === type && event.subject === `prod/${MODEL}` && event.data['version'] === version;
