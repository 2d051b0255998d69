import type { EnvironmentName, ModelName, ServingSettings } from '@switchback-ml/schemas';
import { describe, expect, test } from 'vitest';
import { desired } from './desired.ts';
import { environmentFile, manifestText, releaseFile, versionFiles } from './manifest.fixture.ts';
import { treeOf } from './tree.fixture.ts';

interface Said {
  defaults?: object;
  model?: object;
  environment?: object;
}

function settingsOf({ defaults, model, environment }: Said): ServingSettings | undefined {
  const tree = treeOf([
    {
      ...versionFiles('fraud', '1.0.0'),
      ...environmentFile('prod', defaults ? { defaults } : {}),
      ...releaseFile('prod', 'fraud', '1.0.0'),
      ...(model ? { 'models/fraud/serving.yaml': manifestText('Serving', model) } : {}),
      ...(environment
        ? { 'environments/prod/fraud/serving.yaml': manifestText('Serving', environment) }
        : {}),
    },
  ]);
  const state = desired(tree);
  expect(state.problems).toEqual([]);
  const prod = state.environments.get('prod' as EnvironmentName);
  return prod?.deployments.get('fraud' as ModelName)?.wanted?.settings;
}

describe('effective settings', () => {
  test('promise nothing where nobody said anything', () => {
    expect(settingsOf({})).toEqual({
      limits: { memoryBytes: 512 * 2 ** 20, timeoutMs: 1000, maxBatch: 64 },
      rollout: {
        steps: [],
        undecided: { afterMs: 172_800_000, then: 'page' },
        bake: { forMs: 1_800_000, requests: 500 },
      },
      objectives: {},
    });
  });

  const limit = (timeout: string) => ({ limits: { timeout } });
  test.each<[string, Said, number]>([
    ['defaults of the environment', { defaults: limit('1s') }, 1000],
    ['the model over the defaults', { defaults: limit('1s'), model: limit('2s') }, 2000],
    [
      'the environment over the model',
      { defaults: limit('1s'), model: limit('2s'), environment: limit('3s') },
      3000,
    ],
    ['the environment over the defaults', { defaults: limit('1s'), environment: limit('3s') }, 3000],
  ])('take %s', (_, said, timeoutMs) => {
    expect(settingsOf(said)?.limits.timeoutMs).toBe(timeoutMs);
  });

  test('merge limits key by key', () => {
    const settings = settingsOf({
      defaults: { limits: { memory: '1Gi' } },
      model: { limits: { maxBatch: 8 } },
      environment: { limits: { timeout: '250ms' } },
    });

    expect(settings?.limits).toEqual({ memoryBytes: 2 ** 30, maxBatch: 8, timeoutMs: 250 });
  });

  test('merge objectives by name, each replaced whole', () => {
    const settings = settingsOf({
      defaults: { objectives: { available: { target: '99.9%', breach: 'rollback' } } },
      model: {
        objectives: { valid: { output: 'score', within: [0, 1], target: '99%', breach: 'rollback' } },
      },
      environment: { objectives: { valid: { target: '99.99%' } } },
    });

    expect(settings?.objectives).toEqual({
      available: { target: 0.999, breach: 'rollback' },
      valid: { target: 0.9999, breach: 'notify' },
    });
  });

  test('replace steps whole and keep what else the rollout said', () => {
    const settings = settingsOf({
      model: {
        rollout: {
          canary: {
            steps: [
              { weight: 5, for: '10m', requests: 500 },
              { weight: 50, for: '30m', requests: 5000 },
            ],
            undecided: { after: '2h', then: 'rollback' },
          },
          bake: { for: '1h', requests: 10 },
        },
      },
      environment: { rollout: { canary: { steps: [{ weight: 20, for: '1m', requests: 5 }] } } },
    });

    expect(settings?.rollout).toEqual({
      steps: [{ weight: 20, forMs: 60_000, requests: 5 }],
      undecided: { afterMs: 7_200_000, then: 'rollback' },
      bake: { forMs: 3_600_000, requests: 10 },
    });
  });

  test('of serving come in units, with the percent of a shadow as a number', () => {
    const settings = settingsOf({
      model: {
        limits: { queue: 2048 },
        engines: 2,
        batching: { wait: '2ms' },
        cache: { for: '60s', size: '1Mi' },
        rollout: {
          canary: {
            steps: [{ weight: 5, for: '10m', requests: 500 }],
            stickyBy: { header: 'X-Card-Id' },
            match: [{ header: 'X-Tester', is: 'Yes' }],
            shadow: '7%',
          },
        },
        fallback: { outputs: { score: [0.5] } },
      },
    });

    expect(settings).toMatchObject({
      limits: { queueRows: 2048 },
      engines: 2,
      batching: { waitMs: 2 },
      cache: { forMs: 60_000, bytes: 2 ** 20 },
      rollout: {
        stickyBy: { header: 'x-card-id' },
        match: [{ header: 'x-tester', is: 'Yes' }],
        shadow: 7,
      },
      fallback: { outputs: { score: [0.5] } },
    });
  });

  test('of serving can be taken back by the environment', () => {
    const steps = [{ weight: 5, for: '10m', requests: 500 }];
    const match = [{ header: 'x-tester', is: 'yes' }];

    const settings = settingsOf({
      model: {
        limits: { queue: 2048 },
        engines: 2,
        batching: { wait: '2ms' },
        cache: { for: '60s' },
        rollout: { canary: { steps, match, shadow: '10%' } },
        fallback: { outputs: { score: [0.5] } },
      },
      environment: {
        limits: { queue: 1024 },
        engines: 1,
        batching: { wait: '0s' },
        cache: { for: '0s' },
        rollout: { canary: { match: [], shadow: '0%' } },
        fallback: { outputs: {} },
      },
    });

    expect(settings).toEqual(settingsOf({ model: { rollout: { canary: { steps } } } }));
  });

  test('replace cache, match and fallback whole, and remember 16 MiB where no size is said', () => {
    const settings = settingsOf({
      model: {
        cache: { for: '60s', size: '1Gi' },
        rollout: {
          canary: {
            steps: [{ weight: 5, for: '10m', requests: 500 }],
            match: [{ header: 'x-tester', is: 'yes' }],
          },
        },
      },
      environment: {
        cache: { for: '5s' },
        rollout: { canary: { match: [{ header: 'x-team', is: 'risk' }] } },
      },
    });

    expect(settings?.cache).toEqual({ forMs: 5000, bytes: 16 * 2 ** 20 });
    expect(settings?.rollout.match).toEqual([{ header: 'x-team', is: 'risk' }]);
  });

  test('may take every step away again', () => {
    const steps = [{ weight: 5, for: '10m', requests: 500 }];

    const settings = settingsOf({
      model: { rollout: { canary: { steps } } },
      environment: { rollout: { canary: { steps: [] } } },
    });

    expect(settings?.rollout.steps).toEqual([]);
  });
});
