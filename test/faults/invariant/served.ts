import { type Round, violate } from '../round.ts';
import { isRollback } from '../story/bad-version.ts';
import type { Story } from '../story/story.ts';
import { FIRST_WEIGHT, STABLE } from '../world/model-folder.ts';
import type { Served } from '../world/service.ts';

/** What serves is last good, desired, or a canary at most at its step's weight, by every word that was heard. */
export function checkServed(round: Round, story: Story): void {
  const { services } = round.world;
  const movedAt = movedAtMs(round);
  for (const served of services.served.filter(({ until }) => until >= round.since.atMs)) {
    const { environment } = served;
    const wrong =
      environment === 'prod'
        ? wrongInProd(served, story.bad(round), movedAt)
        : environment === 'staging'
          ? wrongInStaging(served, [round.before, story.staging(round)])
          : null;
    if (wrong) violate(round, 'served lawfully', wrong, told(served));
  }
  checkAnswers(round, story, movedAt);
}

function wrongInProd({ backends, until, from }: Served, bad: string, movedAt: number): string | null {
  const total = weigh(backends);
  const [stable] = backends.toSorted((a, b) => b.weight - a.weight);
  const others = backends.filter(({ revision }) => revision !== stable?.revision);
  if (stable?.version !== STABLE) return `prod serves ${STABLE} first of all`;
  if (others.some(({ version }) => version !== bad)) return `prod serves ${STABLE} and ${bad} alone`;
  if (weigh(others) > (total * FIRST_WEIGHT) / 100) return `at most ${FIRST_WEIGHT} % for a canary`;
  if (others.length > 0 && Math.max(from, until) > movedAt) return `no ${bad} once its traffic had moved`;
  return null;
}

function wrongInStaging({ backends }: Served, versions: readonly string[]): string | null {
  const [only, ...others] = backends;
  const isLawful = only !== undefined && others.length === 0 && versions.includes(only.version);
  return isLawful ? null : `staging serves ${versions.join(', then ')}`;
}

function checkAnswers(round: Round, story: Story, movedAt: number): void {
  const { services } = round.world;
  const bad = story.bad(round);
  const late = services.answers.all
    .slice(round.since.answers)
    .filter(
      ({ environment, version, sentAt }) => environment === 'prod' && version === bad && sentAt > movedAt,
    );
  if (bad !== STABLE && late.length > 0)
    violate(
      round,
      'served lawfully',
      `no answer from ${bad} once its traffic had moved`,
      `${late.length}, the last asked for ${(late.at(-1)?.sentAt ?? 0) - movedAt} ms later`,
    );
}

/** When the controller knew that no traffic goes there any more; never, if that was not heard. */
function movedAtMs({ world, since }: Round): number {
  const moved = world.chronicle.events.find(
    event => isRollback(event, 'operation.moved') && event.seq > since.events,
  );
  return moved?.at ?? Number.POSITIVE_INFINITY;
}

const weigh = (backends: Served['backends']): number => backends.reduce((sum, { weight }) => sum + weight, 0);

const told = ({ environment, backends, from, until }: Served): string =>
  `${environment}: ${backends.map(({ version, revision, weight }) => `${version} (${revision}) ${weight} %`).join(', ')}, from ${from} until ${until}`;
