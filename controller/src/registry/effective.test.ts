import { type EnvironmentName, type ModelName, ServingPart } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nested } from '../command/get/document-text.ts';
import type { RepositoryFile } from '../desired/desired-state.ts';
import { manifestText } from '../desired/manifest.fixture.ts';
import { effectiveSettings } from '../desired/settings.ts';
import { blobId } from '../desired/tree.fixture.ts';
import { fileSettings, policySettings, Setting, servingSettings } from './effective.ts';

const PROD = 'prod' as EnvironmentName;
const FRAUD = 'fraud' as ModelName;
const ENVIRONMENT = 'environments/prod/environment.yaml';
const MODEL = 'models/risk/fraud/serving.yaml';
const OWN = 'environments/prod/risk/fraud/serving.yaml';

function filesOf(texts: Record<string, string>): Map<string, RepositoryFile> {
  return new Map(
    Object.entries(texts).map(([path, text]) => [
      path,
      { blob: blobId(text), mode: '100644', kind: 'manifest', text },
    ]),
  );
}

const EXAMPLE = filesOf({
  [ENVIRONMENT]: [
    'apiVersion: switchback/v1alpha1',
    'kind: Environment',
    'target: { local: {} }',
    'mode: act',
    'promotion: { by: pull-request, approvals: 2 }',
    'defaults:',
    '  limits: { memory: 256Mi, timeout: 1s }',
    '  objectives: { available: { target: 99.9%, breach: rollback } }',
    '',
  ].join('\n'),
  [MODEL]: [
    'apiVersion: switchback/v1alpha1',
    'kind: Serving',
    'limits:',
    '  timeout: 200ms',
    'rollout:',
    '  canary:',
    '    steps:',
    '      - { weight: 5, for: 10m, requests: 500 }',
    '      - { weight: 50, for: 30m, requests: 5000 }',
    'objectives:',
    '  valid: { output: score, within: [0, 1], target: 99.99% }',
    '',
  ].join('\n'),
  [OWN]: 'apiVersion: switchback/v1alpha1\nkind: Serving\nlimits: { timeout: 50ms }\n',
  'environments/dev/risk/fraud/serving.yaml':
    'apiVersion: switchback/v1alpha1\nkind: Serving\nlimits: { timeout: 9s }\n',
  'models/other/serving.yaml': 'apiVersion: switchback/v1alpha1\nkind: Serving\nlimits: { maxBatch: 1 }\n',
});

const said = (settings: readonly Setting[]): string[] =>
  settings.map(
    ({ name, value, path, line }) =>
      `${name} ${typeof value === 'object' ? JSON.stringify(value) : value} ${path === null ? 'default' : `${path}:${line}`}`,
  );

describe('effective settings', () => {
  it('come with the file and line of whoever says them last', () => {
    const settings = servingSettings(EXAMPLE, { environment: PROD, model: FRAUD });

    expect(settings.map(setting => Setting.parse(setting))).toEqual(settings);
    expect(said(settings)).toEqual([
      `limits.memory 256Mi ${ENVIRONMENT}:7`,
      `limits.timeout 50ms ${OWN}:3`,
      'limits.maxBatch 64 default',
      'limits.queue 1024 default',
      'engines 1 default',
      'batching.wait 0s default',
      `rollout.canary.steps[0].weight 5 ${MODEL}:8`,
      `rollout.canary.steps[0].for 10m ${MODEL}:8`,
      `rollout.canary.steps[0].requests 500 ${MODEL}:8`,
      `rollout.canary.steps[1].weight 50 ${MODEL}:9`,
      `rollout.canary.steps[1].for 30m ${MODEL}:9`,
      `rollout.canary.steps[1].requests 5000 ${MODEL}:9`,
      'rollout.canary.undecided.after 48h default',
      'rollout.canary.undecided.then page default',
      'rollout.canary.match [] default',
      'rollout.canary.shadow 0% default',
      'rollout.bake.for 30m default',
      'rollout.bake.requests 500 default',
      `objectives.available.target 99.9% ${ENVIRONMENT}:8`,
      `objectives.available.breach rollback ${ENVIRONMENT}:8`,
      `objectives.valid.output score ${MODEL}:11`,
      `objectives.valid.within [0,1] ${MODEL}:11`,
      `objectives.valid.target 99.99% ${MODEL}:11`,
      'objectives.valid.breach notify default',
    ]);
  });

  it('tell what serving adds, each unit by whoever says it last', () => {
    const files = filesOf({
      [ENVIRONMENT]: 'kind: Environment\ndefaults:\n  engines: 2\n  cache: { for: 60s, size: 1Mi }\n',
      [MODEL]: [
        'kind: Serving',
        'limits: { queue: 8 }',
        'batching: { wait: 2ms }',
        'cache: { for: 5s }',
        'rollout:',
        '  canary:',
        '    stickyBy: { header: X-Card-Id }',
        '    match:',
        '      - { header: x-tester, is: "yes" }',
        '    shadow: 10%',
        'fallback:',
        '  outputs:',
        '    output.1: [0.5]',
        '',
      ].join('\n'),
    });

    const told = said(servingSettings(files, { environment: PROD, model: FRAUD }));

    expect(told.filter(line => !line.endsWith('default'))).toEqual([
      `limits.queue 8 ${MODEL}:2`,
      `engines 2 ${ENVIRONMENT}:3`,
      `batching.wait 2ms ${MODEL}:3`,
      `cache.for 5s ${MODEL}:4`,
      `rollout.canary.stickyBy.header X-Card-Id ${MODEL}:7`,
      `rollout.canary.match[0].header x-tester ${MODEL}:9`,
      `rollout.canary.match[0].is yes ${MODEL}:9`,
      `rollout.canary.shadow 10% ${MODEL}:10`,
      `fallback.outputs {"output.1":[0.5]} ${MODEL}:12`,
    ]);
    expect(told).toContain('cache.size 16Mi default');
  });

  it('of an environment are its policy, and what it gives every model', () => {
    expect(said(policySettings(EXAMPLE, PROD))).toEqual([
      `mode act ${ENVIRONMENT}:4`,
      `promotion.approvals 2 ${ENVIRONMENT}:5`,
      `promotion.by pull-request ${ENVIRONMENT}:5`,
      'promotion.merge person default',
      'rollback.atMost 2 per 1h default',
      'rollback.write push-else-pull-request default',
    ]);
    expect(said(servingSettings(EXAMPLE, { environment: PROD }))).toContain(
      `limits.timeout 1s ${ENVIRONMENT}:7`,
    );
  });

  it('of one file are its fields; of one that can not be read there are none', () => {
    const files = filesOf({ a: 'kind: Release\nversion: "1.0.0"\n', b: 'version: [' });

    expect(said(fileSettings(files, 'a', 'release.'))).toEqual(['release.version 1.0.0 a:2']);
    expect(fileSettings(files, 'b', '')).toEqual([]);
  });

  it('are those that the controller serves with, whatever the three documents say', () => {
    const part = fc.record(
      {
        limits: fc.record(
          {
            memory: fc.constantFrom('128Mi', '2Gi'),
            timeout: fc.constantFrom('50ms', '2s'),
            maxBatch: fc.constantFrom(1, 8),
            queue: fc.constantFrom(16, 1024),
          },
          { requiredKeys: [] },
        ),
        engines: fc.constantFrom(1, 2),
        batching: fc.record({ wait: fc.constantFrom('0s', '2ms') }, { requiredKeys: [] }),
        cache: fc.constantFrom({ for: '0s' }, { for: '1m' }, { for: '1h', size: '1Gi' }),
        fallback: fc.constantFrom({ outputs: {} }, { outputs: { 'score.1': [0.5], label: ['x', true] } }),
        rollout: fc.record(
          {
            canary: fc.record(
              {
                steps: fc.constantFrom(
                  [],
                  [{ weight: 5, for: '1m', requests: 5 }],
                  [
                    { weight: 10, for: '2m', requests: 5 },
                    { weight: 20, for: '1h', requests: 50 },
                  ],
                ),
                undecided: fc.constantFrom({ after: '1h' }, { after: '2h', then: 'rollback' }),
                stickyBy: fc.constantFrom({ header: 'x-card-id' }, { header: 'X-Other' }),
                match: fc.constantFrom([], [{ header: 'x-tester', is: 'yes' }]),
                shadow: fc.constantFrom('0%', '7%', '100%'),
              },
              { requiredKeys: [] },
            ),
            bake: fc.constantFrom({ for: '5m', requests: 3 }),
          },
          { requiredKeys: [] },
        ),
        objectives: fc.record(
          {
            fast: fc.constantFrom(
              { under: '50ms', target: '99%' },
              { under: '9ms', target: '95%', breach: 'page' },
            ),
            available: fc.constantFrom({ target: '99.9%' }),
            valid: fc.constantFrom({ target: '99%', within: [0, 1] }, { target: '98%', output: 'score' }),
          },
          { requiredKeys: [] },
        ),
      },
      { requiredKeys: [] },
    );

    fc.assert(
      fc.property(part, part, part, (defaults, model, own) => {
        const files = filesOf({
          [ENVIRONMENT]: manifestText('Environment', { defaults }),
          [MODEL]: manifestText('Serving', model),
          [OWN]: manifestText('Serving', own),
        });

        const told = nested(servingSettings(files, { environment: PROD, model: FRAUD }));

        const parts = [defaults, model, own].map(one => ServingPart.parse(one));
        expect(effectiveSettings([ServingPart.parse(told)])).toEqual(effectiveSettings(parts));
      }),
      { numRuns: 200 },
    );
  });
});
