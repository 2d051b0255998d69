import { ModelVersion, type ServingPart } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { revision, versionDigest } from './identity.ts';
import { SIGNATURE, versionFiles } from './manifest.fixture.ts';
import { effectiveSettings } from './settings.ts';

const SAID = {
  artifacts: {
    'model.onnx': { sha256: 'a'.repeat(64), size: 1000 },
    'golden.json': { sha256: 'b'.repeat(64), size: 100, tolerance: 0.00001, rows: 'public' },
    'profile.json': { sha256: 'c'.repeat(64), size: 10 },
  },
  signature: SIGNATURE,
};

function digestOf(fields: object): string {
  const { artifacts, signature } = ModelVersion.parse({
    apiVersion: 'switchback/v1alpha1',
    kind: 'ModelVersion',
    ...fields,
  });
  return versionDigest(artifacts, signature);
}

describe('the version digest', () => {
  test('does not depend on the order in which anything is said', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), chance => {
        expect(digestOf(shuffled(SAID, chance))).toBe(digestOf(SAID));
      }),
      { numRuns: 50 },
    );
  });

  test.each<[string, object]>([
    ['evaluation', { evaluation: [{ metric: 'auc', value: 0.9 }] }],
    ['parameters', { parameters: { seed: 7 } }],
    ['framework', { framework: { name: 'scikit-learn' } }],
    ['lineage', { lineage: { source: { run: 'x' } } }],
  ])('does not depend on what is claimed as %s', (_, claim) => {
    expect(digestOf({ ...SAID, ...claim })).toBe(digestOf(SAID));
  });

  const artifacts = (changed: object) => ({ ...SAID, artifacts: { ...SAID.artifacts, ...changed } });
  const golden = SAID.artifacts['golden.json'];
  test.each<[string, object]>([
    ['the bytes of the model', artifacts({ 'model.onnx': { sha256: 'd'.repeat(64), size: 1000 } })],
    ['the bytes of any other artifact', artifacts({ 'profile.json': { sha256: 'd'.repeat(64), size: 10 } })],
    ['the size of an artifact', artifacts({ 'model.onnx': { sha256: 'a'.repeat(64), size: 1001 } })],
    ['the tolerance', artifacts({ 'golden.json': { ...golden, tolerance: 0.0001 } })],
    ['one more artifact', artifacts({ 'more.json': { sha256: 'd'.repeat(64), size: 10 } })],
    ['the name of an artifact', { ...SAID, artifacts: renamed(SAID.artifacts) }],
    ['the datatype of an output', { ...SAID, signature: withOutput({ datatype: 'FP64', shape: [-1, 1] }) }],
    ['the shape of an output', { ...SAID, signature: withOutput({ datatype: 'FP32', shape: [1, -1] }) }],
  ])('depends on %s', (_, fields) => {
    expect(digestOf(fields)).not.toBe(digestOf(SAID));
  });

  test('is the same whatever label the version stands under', () => {
    const read = (label: string) =>
      digestOf(
        parse(
          versionFiles('fraud', label, { seed: 'same' })[`models/fraud/versions/${label}/version.yaml`] ?? '',
        ),
      );

    expect(read('1.0.0')).toBe(read('2.0.0'));
  });
});

describe('a revision', () => {
  const version = {
    label: '1.0.0',
    digest: digestOf(SAID),
    artifacts: SAID.artifacts,
    signature: SAID.signature,
  } as unknown as Parameters<typeof revision>[0];

  test('is another one under other settings, of the same version', () => {
    const one = revision(version, effectiveSettings([]));
    const other = revision(version, effectiveSettings([{ limits: { timeout: 5 } }]));

    expect(other.digest).toBe(one.digest);
    expect(other.id).not.toBe(one.id);
    expect(other.id.slice(0, 12)).toBe(one.id.slice(0, 12));
  });

  test('keeps its id over an upgrade that brings new settings, or every model would be rolled out anew', () => {
    const canary = { steps: [{ weight: 5, for: 60_000, requests: 10 }] };
    const limits = { timeout: 250 };
    const objectives = { fast: { under: 50, target: 0.99, breach: 'rollback' as const } };

    expect(revision(version, effectiveSettings([])).settingsDigest).toBe(
      'sha256:ae99037213ff47ecd3092e85e912f9adae38522fa89982ed60f7f33f63034b2b',
    );
    expect(
      revision(version, effectiveSettings([{ limits, rollout: { canary }, objectives }])).settingsDigest,
    ).toBe('sha256:35ae798848770065eca019cf259a9373b913e0349e145d015d70c61908763640');
  });

  test('is the same one where what holds anyway is said', () => {
    const said = effectiveSettings([
      {
        limits: { queue: 1024 },
        engines: 1,
        batching: { wait: 0 },
        cache: { for: 0, size: 5 },
        rollout: { canary: { match: [], shadow: 0 } },
        fallback: { outputs: {} },
      },
    ]);

    expect(said).toEqual(effectiveSettings([]));
    expect(revision(version, said).id).toBe(revision(version, effectiveSettings([])).id);
  });

  test.each<[string, ServingPart]>([
    ['limits.queue', { limits: { queue: 8 } }],
    ['engines', { engines: 2 }],
    ['batching', { batching: { wait: 2 } }],
    ['cache', { cache: { for: 1000, size: 1024 } }],
    ['stickyBy', { rollout: { canary: { stickyBy: { header: 'x-card-id' } } } }],
    ['match', { rollout: { canary: { match: [{ header: 'x-tester', is: 'yes' }] } } }],
    ['shadow', { rollout: { canary: { shadow: 0.1 } } }],
    ['fallback', { fallback: { outputs: { score: [0.5] } } }],
  ])('is another one with %s', (_, part) => {
    expect(revision(version, effectiveSettings([part])).id).not.toBe(
      revision(version, effectiveSettings([])).id,
    );
  });

  test('is the same one where settings are said in other places to the same effect', () => {
    const one = revision(version, effectiveSettings([{ limits: { timeout: 5 } }, { objectives: {} }]));
    const other = revision(
      version,
      effectiveSettings([{}, { limits: { timeout: 9 } }, { limits: { timeout: 5 } }]),
    );

    expect(other.id).toBe(one.id);
  });
});

/** The same value with the members of every object in an order of chance. */
function shuffled<Value>(value: Value, chance: Iterator<number>): Value {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const members = Object.entries(value)
    .map(([key, member]) => ({ key, member: shuffled(member, chance), at: chance.next().value ?? 0 }))
    .sort((a, b) => a.at - b.at);
  return Object.fromEntries(members.map(({ key, member }) => [key, member])) as Value;
}

function renamed({ 'profile.json': profile, ...rest }: typeof SAID.artifacts): object {
  return { ...rest, 'profile2.json': profile };
}

function withOutput(score: object): object {
  return { ...SIGNATURE, outputs: { score } };
}
