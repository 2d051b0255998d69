import { expect, test } from 'vitest';
import { Environment, knownFields, ModelVersion, Serving } from './index.ts';

test('the fields of a place are those that the schema takes there, through lists, choices and free names', () => {
  const environment = knownFields(Environment);
  const version = knownFields(ModelVersion);

  expect(environment.below(['promotion'])).toEqual(['by', 'merge', 'approvals']);
  expect(environment.below(['gates', 'evaluation', 'auc'])).toEqual(['worseBy']);
  expect(version.below(['lineage', 'datasets', 0])).toEqual(['name', 'role', 'sha256', 'rows']);
  expect(version.below(['parameters'])).toEqual([]);
  expect(version.below(['nowhere', 'at', 'all'])).toEqual([]);
});

test('a field is found wherever it may stand', () => {
  expect(knownFields(Serving).places('timeout')).toEqual(['limits.timeout']);
  expect(knownFields(Serving).places('constructor')).toEqual([]);
  expect(knownFields(ModelVersion).has(['parameters', 'anything'])).toBe(true);
  expect(knownFields(ModelVersion).has(['lineage', 'dataset'])).toBe(false);
});
