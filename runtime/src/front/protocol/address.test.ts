import { expect, test } from 'vitest';
import { findMlflow } from './mlflow/index.ts';
import { findTfServing } from './tf-serving/index.ts';
import { findV2 } from './v2/index.ts';

const forms = [
  ['v2', findV2, (version: string) => `/v2/models/ratio/versions/${version}/infer`],
  ['tf-serving', findTfServing, (version: string) => `/v1/models/ratio/versions/${version}:predict`],
  ['mlflow', findMlflow, (version: string) => `/models/ratio/versions/${version}/invocations`],
] as const;

test.each(forms)('an address of %s names a version as it is, and escaped', (_, find, addressOf) => {
  const versions = ['1.0.0+cpu', '1.0.0%2Bcpu', '1.0.0%2bcpu', '%31.0.0%2Bcpu'].map(
    version => find(addressOf(version))?.version,
  );

  expect(versions).toEqual(versions.map(() => '1.0.0+cpu'));
  expect(find(addressOf('1.0.0'))).toMatchObject({ model: 'ratio', version: '1.0.0' });
});

test.each(forms)('an address of %s whose escape is none leads nowhere', (_, find, addressOf) => {
  for (const wrong of ['%', '%2', '%zz', '%C3', '1%E0%A4%A'])
    expect(find(addressOf(wrong)), wrong).toBeNull();
});

test('an address that names neither leaves both open', () => {
  expect(findMlflow('/invocations')).toMatchObject({ model: null, version: null });
  expect(findV2('/v2/models/rat%69o/infer')).toMatchObject({ model: 'ratio', version: null });
});
