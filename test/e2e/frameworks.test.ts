import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SeenCommit } from '../../demo/observer/git-watch.ts';
import { type EnvironmentLabel, on, openPlace, PATIENCE_MS, type Place } from './frameworks.fixture.ts';
import { type Framed, MODELS, readSamples } from './frameworks-samples.fixture.ts';

const GOOD = '1.1.0';
const BAD = '1.2.0';
const BETTER: readonly [Framed, string][] = [
  ['digits', 'digits-better'],
  ['wine', 'wine-better'],
];
const TOLERANCE = 1e-5;
const everywhere = { timeout: 2 * PATIENCE_MS };

let place: Place;
beforeAll(async () => {
  place = await openPlace();
}, 2 * PATIENCE_MS);
afterAll(() => place[Symbol.asyncDispose](), PATIENCE_MS);

test(
  'a better version by each framework reaches prod and answers there as the framework itself does',
  everywhere,
  async () => {
    await Promise.all(
      BETTER.map(async ([model, candidate]) => {
        const registered = await place.register(candidate, model, GOOD);
        await place.observer.event(
          `${model} ${GOOD} baked`,
          on('prod', model, 'rollout.baked', GOOD),
          PATIENCE_MS,
        );
        expect(registered.notes).toEqual(['dev takes it by itself, as the newest.']);
      }),
    );

    for (const [model, candidate] of BETTER) {
      const samples = readSamples(candidate, model);
      const answers = await Promise.all(samples.map(({ row }) => place.ask(model, row)));
      expect(new Set(answers.map(({ version }) => version))).toEqual(new Set([GOOD]));
      const distances = samples.flatMap(({ answer }, at) =>
        answer.map((wanted, index) => Math.abs((answers[at]?.data[index] ?? Number.NaN) - wanted)),
      );
      expect(distances).toHaveLength(64 * MODELS[model].answers);
      expect(Math.max(...distances)).toBeLessThanOrEqual(TOLERANCE);
    }
  },
);

test('a network exported in training mode is not registered, and its author hears what differs and what to do', async () => {
  const { observer } = place;
  const before = observer.commits.length;

  const refusal = await place.register('digits-train-mode', 'digits', BAD).catch((error: unknown) => error);

  expect(refusal).toMatchObject({
    code: 'E_MODEL_GOLDEN',
    message: expect.stringMatching(/probabilities.*\(tolerance 0\.00001\).*\bexport\b/),
  });
  expect(observer.commits).toHaveLength(before);
});

test(
  'forced into git it serves nowhere: each environment goes on with the last good one and holds it',
  everywhere,
  async () => {
    const { observer } = place;

    await place.shipper.ship('digits-train-mode', 'digits', BAD);
    const inDev = await holdOf('dev', 'digits');
    await place.shipper.release('digits', BAD);
    const inProd = await holdOf('prod', 'digits');

    for (const [environment, commit] of [
      ['dev', inDev],
      ['prod', inProd],
    ] as const) {
      const hold = await observer.git.show(
        commit.sha,
        `environments/${environment}/digits/holds/${BAD}.yaml`,
      );
      expect(hold).toMatch(/golden row|golden answers/);
      await restored(environment, 'digits');
    }
    expect(inProd.files).toContain('M environments/prod/digits/release.yaml');
    expect(
      observer.answers.all.filter(({ model, version }) => model === 'digits' && version === BAD),
    ).toEqual([]);
    expect(observer.answers.failed()).toEqual([]);
  },
);

test('a version that answers with logits never leaves dev by itself', everywhere, async () => {
  const { observer } = place;

  await place.register('wine-logits', 'wine', BAD);
  const verdict = await observer.event('a verdict', on('dev', 'wine', 'verdict.degraded', BAD), PATIENCE_MS);
  const hold = await holdOf('dev', 'wine');

  expect(verdict.data['reason']).toContain('invalid answers 100.0 %');
  expect(hold.files).toEqual([`A environments/dev/wine/holds/${BAD}.yaml`]);
  await restored('dev', 'wine');
  expect(observer.answers.of('prod', 'wine', BAD)).toEqual([]);
});

test(
  'released in prod by a person, it is found degraded in its canary and reverted',
  everywhere,
  async () => {
    const { observer } = place;

    const release = await place.shipper.release('wine', BAD);
    const verdict = await observer.event(
      'a verdict',
      on('prod', 'wine', 'verdict.degraded', BAD),
      PATIENCE_MS,
    );
    const revert = await holdOf('prod', 'wine');

    expect(verdict.data['findings']).toContainEqual(
      expect.objectContaining({ objective: 'valid', verdict: 'degraded' }),
    );
    expect(revert.subject).toContain(`back to ${GOOD}`);
    expect(revert.body).toContain(`This reverts commit ${release}`);
    await restored('prod', 'wine');
    expect(observer.answers.of('prod', 'wine', BAD).length).toBeGreaterThan(0);
    expect(observer.answers.of('prod', 'wine', GOOD).length).toBeGreaterThan(0);
    expect(observer.answers.failed()).toEqual([]);
  },
);

/** The commit by which automation puts the bad version on hold. */
function holdOf(environment: EnvironmentLabel, model: Framed): Promise<SeenCommit> {
  const file = `A environments/${environment}/${model}/holds/${BAD}.yaml`;
  return place.observer.commit(`a hold in ${environment}`, ({ files }) => files.includes(file), PATIENCE_MS);
}

/** All traffic is the last good version's, once the rollback is done. */
async function restored(environment: EnvironmentLabel, model: Framed): Promise<void> {
  await place.observer.event(
    'the end of the rollback',
    ({ type, subject, data }) =>
      type === 'operation.done' && subject === `${environment}/${model}` && data['kind'] === 'rollback',
    PATIENCE_MS,
  );
  const deployment = await place.deployment(environment, model);
  expect(deployment?.backends.map(({ version, weight, state }) => ({ version, weight, state }))).toEqual([
    { version: GOOD, weight: 100, state: 'ready' },
  ]);
}
