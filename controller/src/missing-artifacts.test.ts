import type { ModelName } from '@switchback-ml/schemas';
import { expect, test } from 'vitest';
import type { ArtifactFailures } from './artifact-failures.ts';
import { artifactEvents, type ToldMissing } from './missing-artifacts.ts';
import {
  candidateWith,
  desiredWith,
  NOW,
  rolloutWith,
  type SCREENING,
  SUBJECT,
  THREE,
} from './registry/deployed.fixture.ts';

const models: ReturnType<typeof desiredWith>['models'] = new Map(
  [...desiredWith().models].map(([name, model]) => [
    name as ModelName,
    { ...model, folder: `imaging/${name}` },
  ]),
);
const states = new Map([
  [SUBJECT as `prod/${typeof SCREENING}`, rolloutWith({ candidate: candidateWith() })],
]);
const digest = THREE.artifacts['model.onnx']!.sha256;
const failing = (code: string): ArtifactFailures =>
  new Map([[digest, { code, message: 'It is not there.', since: NOW }]]);
const NONE: ToldMissing = new Map();

test('a file that is missing is told once for each reason, and once more when it has come', () => {
  const first = artifactEvents(states, { failures: failing('E_LFS_OBJECT'), models, before: NONE }, NOW);
  const again = artifactEvents(
    states,
    { failures: failing('E_LFS_OBJECT'), models, before: first.told },
    NOW,
  );
  const other = artifactEvents(
    states,
    { failures: failing('E_LFS_UNREACHABLE'), models, before: again.told },
    NOW,
  );
  const come = artifactEvents(states, { failures: new Map(), models, before: other.told }, NOW);

  expect(first.events).toEqual([
    {
      at: NOW,
      type: 'artifact.missing',
      subject: SUBJECT,
      actor: 'controller',
      data: {
        version: '1.2.0',
        file: 'models/imaging/screening/versions/1.2.0/model.onnx',
        code: 'E_LFS_OBJECT',
        message: 'It is not there.',
      },
    },
  ]);
  expect(again.events).toEqual([]);
  expect(other.events).toMatchObject([{ type: 'artifact.missing', data: { code: 'E_LFS_UNREACHABLE' } }]);
  expect(come).toMatchObject({
    told: new Map(),
    events: [{ type: 'artifact.found', data: { file: expect.stringMatching(/model\.onnx$/) } }],
  });
});

test('a version that nobody wants any more is forgotten without a word', () => {
  const { told } = artifactEvents(states, { failures: failing('E_LFS_OBJECT'), models, before: NONE }, NOW);

  const left = artifactEvents(new Map(), { failures: failing('E_LFS_OBJECT'), models, before: told }, NOW);

  expect(left).toEqual({ told: new Map(), events: [] });
});
