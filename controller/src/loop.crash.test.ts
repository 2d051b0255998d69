import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { calmLoop, expectStoryTold, tellCrashStory } from './crash-story.fixture.ts';
import type { Place } from './failpoint/failpoint.ts';

const OPERATIONS = {
  promotion: ['intended', 'commit', 'push', 'pushed', 'done'],
  rollback: ['intended', 'moved', 'commit', 'push', 'pushed', 'done'],
  record: ['intended', 'commit', 'push', 'done'],
};
const PASSED: Place[] = [
  ...Object.entries(OPERATIONS).flatMap(([kind, deeds]) => deeds.map(deed => `${kind}.${deed}`)),
  'cycle.remember',
  'snapshot.publish',
  'branch.fetch',
  'records.fetch',
].flatMap(deed => [`before ${deed}` as Place, `after ${deed}` as Place]);

/** A sample; `npm run faults` asks for more. */
const RUNS = Number(process.env['SWITCHBACK_CRASH_RUNS'] ?? 15);

test('the story of a bad version comes by every place of its operations', async () => {
  const reached = new Set<Place>();

  await using loop = await calmLoop();
  loop.failpoint = place => void reached.add(place);
  await tellCrashStory(loop);

  await expectStoryTold(loop);
  expect(reached).toEqual(new Set(PASSED));
});

describe('a controller that is cut off', () => {
  test.each(PASSED)('%s changes nothing of how the story ends', async place => {
    await using loop = await calmLoop();
    let isCut = false;
    loop.failpoint = (reached, life) => {
      if (isCut || reached !== place) return;
      isCut = true;
      life.isOver = true;
    };

    await tellCrashStory(loop);

    expect(isCut).toBe(true);
    await expectStoryTold(loop);
  });

  test('up to eight times, anywhere, changes nothing of how the story ends', async () => {
    const gaps = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(gaps, async ([first = 1, ...later]) => {
        await using loop = await calmLoop();
        let left = first;
        loop.failpoint = (place, life) => {
          // Fetches happen all the time; counting them would leave little for the rest.
          if (place.endsWith('.fetch') || --left > 0) return;
          left = later.shift() ?? Number.POSITIVE_INFINITY;
          life.isOver = true;
        };

        await tellCrashStory(loop);

        await expectStoryTold(loop);
      }),
      { numRuns: RUNS },
    );
  });
});

describe('a controller that stalls until another leads', () => {
  test.each(PASSED)('%s, and then goes on, changes nothing of how the story ends', async place => {
    await using loop = await calmLoop();
    let isStalled = false;
    loop.failpoint = (reached, life) => {
      if (isStalled || reached !== place) return;
      isStalled = true;
      return life.stall();
    };

    await tellCrashStory(loop);

    expect(isStalled).toBe(true);
    await expectStoryTold(loop);
  });
});
