import type { StoryFacts } from './story.ts';

/** Sums of counts, worst of times. */
export function summary(stories: readonly StoryFacts[], tookMs: number) {
  const sum = (of: (facts: StoryFacts) => number): number =>
    stories.reduce((total, facts) => total + of(facts), 0);
  const worst = (of: (facts: StoryFacts) => number): number => Math.max(0, ...stories.map(of));
  const facts = {
    stories: stories.map(({ story }) => story),
    tookMs,
    requests: sum(({ requests }) => requests),
    failedRequests: sum(({ failedRequests }) => failedRequests),
    badResponses: sum(({ badResponses }) => badResponses),
    pushToServingMs: worst(({ pushToServingMs }) => pushToServingMs),
    commitToProdMs: worst(({ commitToProdMs }) => commitToProdMs),
    firstBadToTrafficBackMs: worst(({ firstBadToTrafficBackMs }) => firstBadToTrafficBackMs),
    verdictToTrafficBackMs: worst(({ verdictToTrafficBackMs }) => verdictToTrafficBackMs),
    lastBadAfterVerdictMs: worst(({ lastBadAfterVerdictMs }) => lastBadAfterVerdictMs),
    verdictToRevertPushedMs: worst(({ verdictToRevertPushedMs }) => verdictToRevertPushedMs),
    revertCommit: stories.at(-1)?.revertCommit ?? null,
    broken: stories.flatMap(({ story, broken }) => broken.map(problem => `${story}: ${problem}`)),
  };
  return { ...facts, sentence: sentence(facts) };
}

function sentence(facts: {
  requests: number;
  failedRequests: number;
  verdictToTrafficBackMs: number;
  verdictToRevertPushedMs: number;
  broken: string[];
}): string {
  const { requests, failedRequests, verdictToTrafficBackMs, verdictToRevertPushedMs, broken } = facts;
  if (broken.length > 0) return `not as promised: ${broken.join('; ')}`;
  const times = `traffic back ${verdictToTrafficBackMs} ms and revert in git ${verdictToRevertPushedMs} ms after the verdict, at worst`;
  return `${requests} requests, ${failedRequests} failed · ${times}`;
}
