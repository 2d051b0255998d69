import { describe, expect, test } from 'vitest';
import { readAddress } from './address.ts';

const one = { environments: new Set(['prod']), hosts: new Map() };
const two = { environments: new Set(['prod', 'dev']), hosts: new Map([['dev.models.test', 'dev']]) };

describe('reading an address', () => {
  test.each([
    ['/v2/models/a/infer', '/v2/models/a/infer', 'a'],
    ['/prod/v2/models/a/versions/1.0.0/infer?x=1', '/v2/models/a/versions/1.0.0/infer?x=1', 'a'],
    ['/prod/v1/models/a:predict', '/v1/models/a:predict', 'a'],
    ['/prod/models/a/invocations', '/models/a/invocations', 'a'],
    ['/invocations', '/invocations', null],
  ])('finds environment and model of %s', (url, path, model) => {
    expect(readAddress(url, 'a', one)).toMatchObject({ environment: 'prod', path, target: { model } });
  });

  test('tells metadata from inference', () => {
    expect(readAddress('/v2/models/a', 'a', one)).toEqual({
      environment: 'prod',
      path: '/v2/models/a',
      target: null,
    });
  });

  test('wants the environment named where there are several, by path or by host', () => {
    expect(readAddress('/v2', 'a', two)).toBeNull();
    expect(readAddress('/dev/v2', 'a', two)).toMatchObject({ environment: 'dev', path: '/v2' });
    expect(readAddress('/v2', 'DEV.models.test:4180', two)).toMatchObject({
      environment: 'dev',
      path: '/v2',
    });
    expect(readAddress('/staging/v2', 'a', two)).toBeNull();
  });

  test.each([
    '/runtime/v1/observation',
    '/metrics',
    '/prod/metrics',
    '/prod/healthz',
    '/v2/../metrics',
    '/v2/models/../../metrics',
    '/v2/models/..',
    '/v2/models/a/./infer',
    '/v2//models',
    '/v2/models/%2e%2e/infer',
    '/v2/models/a%2Fb/infer',
    '/v2/models/a\\b/infer',
    '/v2/models/a%00/infer',
    '/v2/models/ä/infer',
    `/v2/models/${'a'.repeat(10_000)}/infer`,
    'http://elsewhere/v2',
    '//elsewhere/v2',
    '*',
    '',
  ])('offers nothing at %s (H14)', url => {
    expect(readAddress(url, 'a', one)).toBeNull();
  });
});
