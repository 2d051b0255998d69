import { expect, test } from 'vitest';
import { roleOf } from './processes.ts';
import { partOf } from './sizes.ts';

test.each([
  ['up', '/x/node /x/controller/src/cli/main.ts up --repo http://127.0.0.1:1/models.git --state /tmp/s'],
  ['controller', '/x/node /x/controller/src/main.ts --repo http://127.0.0.1:1/models.git --state /tmp/s'],
  ['front', '/x/node /x/runtime/src/main.ts --environment prod --state /tmp/s'],
  ['engine', '/x/node /x/runtime/src/engine/onnx/process.ts'],
  ['remote', '/x/node /x/test/soak/remote-process.ts /tmp/remote 0'],
  ['git', 'git cat-file --batch'],
  ['git', '/usr/lib/git-core/git-http-backend'],
  ['other', '/x/node /x/controller/src/cli/main.ts rollback prod/wine'],
])('%s is known by its command line', (role, words) => {
  expect(roleOf({ words })).toBe(role);
});

test.each([
  ['ledger', 'ledger.sqlite-wal'],
  ['logs', 'controller.log'],
  ['logs', 'runtimes/prod/runtime.log.1'],
  ['clone', 'repository/objects/pack/pack-1.pack'],
  ['artifacts', 'artifacts/ab/cdef'],
  ['runtimes', 'runtimes/prod/artifacts/abcdef'],
  ['other', 'operator-token'],
])('%s are told by the path', (part, path) => {
  expect(partOf(path)).toBe(part);
});
