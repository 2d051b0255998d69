import fc from 'fast-check';
import { expect, test } from 'vitest';
import { placeOf } from './place.ts';

test.each<[string, object]>([
  ['models/fraud/model.yaml', { kind: 'model', model: 'fraud', folder: 'fraud' }],
  ['models/payments/fraud/serving.yaml', { kind: 'serving', model: 'fraud', folder: 'payments/fraud' }],
  [
    'models/payments/fraud/versions/1.3.0/version.yaml',
    { kind: 'version', model: 'fraud', folder: 'payments/fraud', label: '1.3.0' },
  ],
  [
    'models/fraud/versions/1.3.0/model.onnx',
    { kind: 'artifact', model: 'fraud', label: '1.3.0', file: 'model.onnx' },
  ],
  ['environments/prod/environment.yaml', { kind: 'environment', environment: 'prod' }],
  ['environments/prod/fraud/release.yaml', { kind: 'release', environment: 'prod', model: 'fraud' }],
  ['environments/prod/payments/fraud/release.yaml', { kind: 'release', environment: 'prod', model: 'fraud' }],
  [
    'environments/prod/fraud/serving.yaml',
    { kind: 'environment-serving', environment: 'prod', model: 'fraud' },
  ],
  [
    'environments/prod/payments/fraud/holds/1.3.0.yaml',
    { kind: 'hold', environment: 'prod', model: 'fraud' },
  ],
  ['environments/prod/freezes/holidays.yaml', { kind: 'freeze', environment: 'prod' }],
  ['README.md', { kind: 'other' }],
  ['models/README.md', { kind: 'other' }],
  ['models/a/b/c/model.yaml', { kind: 'unread', meant: null }],
  ['models/fraud/versions/1.3.0/more/model.onnx', { kind: 'other' }],
  ['environments/prod/README.md', { kind: 'other' }],
  ['environments/prod/a/b/c/release.yaml', { kind: 'unread', meant: null }],
  ['environments/prod/fraud/release.yml', { kind: 'unread', meant: 'release.yaml' }],
  ['environments/prod/fraud/relaese.yaml', { kind: 'unread', meant: 'release.yaml' }],
  ['environments/prod/notes.yaml', { kind: 'unread', meant: null }],
  ['models/fraud/versions/1.0.0/version.yml', { kind: 'unread', meant: 'version.yaml' }],
  ['models/fraud/versions/1.0.0/conda.yaml', { kind: 'artifact', file: 'conda.yaml' }],
  ['models/versions/versions/1.0.0/version.yaml', { kind: 'bad-name', part: 'versions' }],
  ['environments/prod/holds/release.yaml', { kind: 'bad-name', part: 'holds' }],
  ['environments/holds/environment.yaml', { kind: 'bad-name', part: 'holds' }],
  ['models/Fraud/model.yaml', { kind: 'bad-name', part: 'Fraud' }],
  ['models/fraud/versions/../version.yaml', { kind: 'bad-name', part: '..' }],
  ['environments/PROD/environment.yaml', { kind: 'bad-name', part: 'PROD' }],
  ['environments/prod/fraud_2/release.yaml', { kind: 'bad-name', part: 'fraud_2' }],
])('%s is %o', (path, place) => {
  expect(placeOf(path)).toMatchObject(place);
});

test('every path has a place, and every name in a place is part of the path', () => {
  const part = fc.oneof(
    fc.constantFrom(
      'models',
      'environments',
      'versions',
      'holds',
      'freezes',
      'version.yaml',
      'release.yaml',
      'fraud',
      '..',
      '',
    ),
    fc.string({ maxLength: 8 }),
  );

  fc.assert(
    fc.property(fc.array(part, { maxLength: 7 }), parts => {
      const place = placeOf(parts.join('/'));

      const names = ['model', 'environment', 'label', 'file'] as const;
      for (const name of names) if (name in place) expect(parts).toContain(place[name as never]);
    }),
  );
});
