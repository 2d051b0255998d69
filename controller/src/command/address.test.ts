import { describe, expect, it } from 'vitest';
import { parseDeployedVersion, parseDeployment, parseNewModel, parseVersion } from './address.ts';

describe('addresses', () => {
  it('reads a deployment, a version, and a version in a deployment', () => {
    expect(parseDeployment('prod/screening')).toEqual({ environment: 'prod', model: 'screening' });
    expect(parseVersion('screening@1.1.0')).toEqual({ model: 'screening', version: '1.1.0' });
    expect(parseDeployedVersion('prod/screening@1.1.0-rc.1')).toEqual({
      environment: 'prod',
      model: 'screening',
      version: '1.1.0-rc.1',
    });
    expect(parseNewModel('payments/fraud')).toEqual({ model: 'fraud', folder: 'payments/fraud' });
  });

  it.each([
    '',
    'screening',
    'prod/',
    '/screening',
    'a/b/c',
    'prod/screening@1',
    'PROD/screening',
    '../x',
    'prod/sc\nx',
  ])('refuses %j as a deployment, with an example or the grammar', text => {
    expect(() => parseDeployment(text)).toThrow(/prod\/screening|such as/);
  });

  it('refuses a label that could leave its folder', () => {
    expect(() => parseVersion('screening@..')).toThrow(/is not a version/);
    expect(() => parseNewModel('a/../b')).toThrow(/not/);
  });
});
