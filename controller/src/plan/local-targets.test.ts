import { LocalTarget } from '@switchback-ml/schemas';
import { expect, test } from 'vitest';
import { desired } from '../desired/desired.ts';
import { environmentFile } from '../desired/manifest.fixture.ts';
import { treeOf } from '../desired/tree.fixture.ts';
import { localTargets } from './local-targets.ts';

test('the runtimes of an environment are wanted as its manifest says', () => {
  const target = { local: { runtimes: 2, cacheMemory: '1Mi', grpc: true } };
  const state = desired(treeOf([{ ...environmentFile('dev'), ...environmentFile('prod', { target }) }]));

  expect(Object.fromEntries(localTargets(state))).toEqual({
    dev: LocalTarget.parse({}),
    prod: { runtimes: 2, cacheMemory: 2 ** 20, grpc: true },
  });
});
