import { describe, expect, test } from 'vitest';
import {
  candidateWith,
  desiredWith,
  holdOn,
  PROD,
  rolloutWith,
  stateWith,
  THREE,
  wordOf,
} from '../../registry/deployed.fixture.ts';
import { WhyNot } from '../../registry/why-not.ts';
import { appOf, bearer, worldWith } from '../world.fixture.ts';

const PATH = '/api/v1alpha1/environments/prod/models/screening/why-not';

describe('why not', () => {
  test('is answered from what the controller knows', async () => {
    const state = stateWith({ desired: desiredWith({ holds: [holdOn(THREE)] }) });

    const answer = await ask(`${PATH}?version=1.2.0`, { state });

    expect(answer.statusCode).toBe(200);
    const { reasons, wanted } = WhyNot.parse(answer.json());
    expect(wanted).toBe('1.1.0');
    expect(reasons.map(({ kind }) => kind)).toEqual(['held', 'no-upstream']);
  });

  test('says how much is served by the word of the runtime, and not by what is wanted', async () => {
    const rollout = rolloutWith({ candidate: candidateWith({ phase: 'baking' }) });
    const state = stateWith({ rollout, desired: desiredWith({ wanted: THREE }) });
    await using world = await worldWith({ state });
    world.observation.say(PROD, wordOf(rolloutWith()).observation);
    await using app = appOf(world);
    const weightOf = async (version: string): Promise<number> => {
      const answer = await app.inject({ url: `${PATH}?version=${version}`, headers: bearer('operator') });
      return WhyNot.parse(answer.json()).weight;
    };

    expect([await weightOf('1.2.0'), await weightOf('1.1.0')]).toEqual([0, 100]);
  });

  test.each([
    ['a version that is not there', `${PATH}?version=1.2.1`, 404, /Did you mean "1\.2\.0"/],
    ['no version', PATH, 400, /version/],
    ['a label that is none', `${PATH}?version=..%2Fetc`, 400, /version/],
    [
      'an environment that is not there',
      `${PATH.replace('prod', 'prd')}?version=1.2.0`,
      404,
      /Did you mean "prod"/,
    ],
  ])('of %s is refused in words', async (_, url, status, words) => {
    const answer = await ask(url);

    expect(answer.statusCode).toBe(status);
    expect(answer.json().detail).toMatch(words);
  });

  test('can not be told before a commit was acted on', async () => {
    const answer = await ask(`${PATH}?version=1.2.0`, { state: stateWith({ desired: null, head: null }) });

    expect(answer.statusCode).toBe(503);
  });
});

async function ask(url: string, part: Parameters<typeof worldWith>[0] = {}) {
  await using world = await worldWith(part);
  await using app = appOf(world);
  return await app.inject({ url, headers: bearer('operator') });
}
