import {
  EnvironmentName,
  InstanceId,
  ModelName,
  RevisionId,
  type RuntimeObservation,
  VersionDigest,
  VersionLabel,
} from '@switchback-ml/schemas';
import { expect, test } from 'vitest';
import { replacedEngines } from './replaced-engines.ts';

const NOW = 1_780_000_000_000;
const environment = EnvironmentName.parse('prod');

test('each replaced engine is told once, with its cause', () => {
  const first = replacedEngines([wordOf({ at: 5, cause: 'hung' as const })], new Map(), NOW);
  const again = replacedEngines([wordOf({ at: 5, cause: 'hung' as const })], first.told, NOW);
  const next = replacedEngines(
    [wordOf({ at: 5, cause: 'hung' as const }, { at: 9, cause: 'died' as const })],
    again.told,
    NOW,
  );

  expect(first.events).toMatchObject([
    { type: 'engine.replaced', subject: 'prod/fraud', data: { version: '1.0.0', cause: 'hung' } },
  ]);
  expect(again.events).toEqual([]);
  expect(next.events).toMatchObject([{ data: { cause: 'died' } }]);
});

test('what is no longer loaded is forgotten', () => {
  const { told } = replacedEngines([wordOf({ at: 5, cause: 'hung' as const })], new Map(), NOW);

  expect(replacedEngines([], told, NOW).told.size).toBe(0);
});

function wordOf(...replaced: { at: number; cause: 'hung' | 'died' }[]) {
  const observation: RuntimeObservation = {
    instanceId: InstanceId.parse('11111111-1111-4111-8111-111111111111'),
    environment,
    pid: 1,
    startedAt: NOW,
    at: NOW,
    snapshot: null,
    routes: {},
    counts: [],
    loaded: [
      {
        model: ModelName.parse('fraud'),
        revision: RevisionId.parse('aaaaaaaaaaaa-bbbbbbbb'),
        version: VersionLabel.parse('1.0.0'),
        digest: VersionDigest.parse(`sha256:${'a'.repeat(64)}`),
        state: 'ready',
        since: NOW,
        replaced: replaced.map(each => ({ ...each, reason: 'it was' })),
      },
    ],
  };
  return { environment, observation, heardAt: NOW };
}
