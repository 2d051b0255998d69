import { ModelName } from '@switchback-ml/schemas';
import { expect, test } from 'vitest';
import { desiredWith, SCREENING, VERSIONS } from './deployed.fixture.ts';
import { ModelEntry, modelEntries } from './models.ts';

test('models are listed by name, with their versions in order and what each environment asks for', () => {
  const fraud = ModelName.parse('fraud');
  const base = desiredWith();
  const models = new Map([...base.models, [fraud, { name: fraud, folder: 'payments/fraud', versions: [] }]]);

  const entries = modelEntries({ ...base, models });

  expect(entries.map(entry => ModelEntry.parse(entry))).toEqual(entries);
  expect(entries).toMatchObject([
    { name: fraud, folder: 'payments/fraud', versions: [], environments: { prod: null } },
    { name: SCREENING, environments: { prod: '1.1.0' } },
  ]);
  expect(entries[1]?.versions[2]).toEqual({
    version: '1.2.0',
    digest: VERSIONS[2]?.digest,
    introducedAt: VERSIONS[2]?.introducedAt,
    evaluation: [{ metric: 'auc', value: 0.9, better: 'higher' }],
  });
});

test('a release that can’t be read asks for nothing that is known', () => {
  expect(modelEntries(desiredWith({ wanted: null }))[0]?.environments).toEqual({ prod: null });
});
