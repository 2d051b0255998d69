import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Person } from '../../e2e/person.fixture.ts';
import type { Model } from '../example.ts';
import { type Deed, deployment, type Ground, settledOn } from '../ground.ts';
import { found } from '../wait.ts';

const PUSHED_WITHIN_MS = 60_000;
const SETTLED_WITHIN_MS = 12 * 60_000;

/** A person takes back the newest promotion into prod by `git revert`, and automation obeys. */
export function revert(ground: Ground, { model }: { model: Model }): Deed {
  const { place, commits, signal } = ground;
  let from = '';
  return {
    what: `a person reverts prod/${model}'s promotion by git`,
    act: async () => {
      from = (await deployment(ground, 'prod', model)).version ?? '';
      const subject = `prod/${model}: promote ${from}`;
      const promotion = commits.commits.findLast(commit => commit.subject === subject);
      if (!promotion) throw new Error(`there is no commit "${subject}"`);
      // Whoever is outrun by another push begins again from a clone of what is there now.
      await found('the push to be taken', PUSHED_WITHIN_MS, signal, async () => {
        const directory = join(place.directory, `person-${randomUUID()}`);
        try {
          const person = await Person.clone(place.remote.url, directory);
          return await person.revert(promotion.sha);
        } finally {
          await rm(directory, { recursive: true, force: true });
        }
      });
    },
    prove: async () => {
      const to = await settledOn(ground, {
        environment: 'prod',
        model,
        what: `prod/${model} to leave ${from}`,
        fits: version => version !== from,
        withinMs: SETTLED_WITHIN_MS,
      });
      return `from ${from} to ${to}`;
    },
  };
}
