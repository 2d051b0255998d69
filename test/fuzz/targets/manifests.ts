import type { BlobId } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { desired } from '../../../controller/src/desired/desired.ts';
import type { RepositoryFile } from '../../../controller/src/desired/desired-state.ts';
import {
  environmentFile,
  releaseFile,
  versionFiles,
} from '../../../controller/src/desired/manifest.fixture.ts';
import type { Memory } from '../../../controller/src/desired/memory.ts';
import { blobId, treeOf } from '../../../controller/src/desired/tree.fixture.ts';
import { readFile } from '../../../controller/src/repository/read-file.ts';
import type { Target } from '../target.ts';

/** Where the bytes may stand, by their first byte; beside what is good and has to stay so. */
const PATHS = [
  'models/other/model.yaml',
  'models/other/serving.yaml',
  'models/other/versions/1.0.0/version.yaml',
  'environments/prod/environment.yaml',
  'environments/prod/other/serving.yaml',
  'environments/prod/other/release.yaml',
  'environments/prod/other/holds/1.0.0.yaml',
  'environments/prod/freezes/week.yaml',
  'models/fraud/serving.yaml',
] as const;
const GOOD = treeOf([
  {
    ...environmentFile('dev'),
    ...environmentFile('prod', { promotesFrom: 'dev' }),
    ...versionFiles('fraud', '1.0.0'),
    ...versionFiles('other', '1.0.0'),
    ...releaseFile('dev', 'fraud', '1.0.0'),
    ...releaseFile('prod', 'other', '1.0.0'),
  },
]);
const memory: Memory = new Map();
const signal = AbortSignal.timeout(2 ** 31 - 1);

/** A file of a model repository, whatever is in it: read as from git, and desired beside others that are good. */
export const manifest: Target = {
  read: async bytes => {
    const path = PATHS[(bytes[0] ?? 0) % PATHS.length] ?? PATHS[0];
    const file = await fileOf(path, bytes.subarray(1));
    const state = desired({ ...GOOD, files: new Map([...GOOD.files, [path, file]]) }, memory);
    const dev = [...state.environments.values()].find(({ name }) => name === 'dev');
    const fraud = [...(dev?.deployments.values() ?? [])].find(({ model }) => model === 'fraud');
    // Only a file of its own may take a model away, and a serving.yaml that can't be read is one.
    if (!path.startsWith('models/fraud/') && fraud?.wanted?.version !== '1.0.0')
      throw new Error(`what stands at ${path} took away a model that has nothing to do with it`);
    for (const { message } of state.problems)
      if (message.length > 2000) throw new Error('a problem of many words');
  },
  examples: [...GOOD.files].flatMap(([path, file]) => {
    const index = PATHS.findIndex(known => known.split('/').at(-1) === path.split('/').at(-1));
    return file.kind === 'manifest' && index >= 0
      ? [Buffer.concat([Buffer.from([index]), Buffer.from(file.text)])]
      : [];
  }),
  words: [
    'apiVersion: switchback/v1alpha1\n',
    'kind: ',
    'Release',
    'Serving',
    'Environment',
    'ModelVersion',
    'Hold',
    'Freeze',
    'version: ',
    'digest: ',
    'rollout: { canary: { steps: [{ weight: 5, for: 10m, requests: 500 }] } }\n',
    'objectives: ',
    'limits: { memory: 512Mi, timeout: 200ms, maxBatch: 64 }\n',
    'rollout: { canary: { stickyBy: { header: x-card-id }, match: [{ header: x, is: "y" }], shadow: 10% } }\n',
    'engines: 2\n',
    'batching: { wait: 2ms }\n',
    'cache: { for: 60s, size: 16Mi }\n',
    'fallback: { outputs: { score: [0.5] } }\n',
    'promotion: { by: newest }\n',
    'mode: act\n',
    '&a ',
    '*a',
    '<<: ',
    '!!js/function ',
    '---\n',
    '...\n',
    '? ',
    '| \n  ',
    '>-\n  ',
    '[[[[',
    '{{{{',
    '__proto__: ',
    'constructor: ',
    '"1.0.0"',
    '99.9%',
    '24h',
    '1e999',
    '.inf',
    '.nan',
    '0o17',
    '2026-11-23',
    '\ufeff',
    '\t',
    '# ',
    'until: ',
  ],
  documents: fc
    .tuple(
      fc.nat(PATHS.length - 1),
      fc.object({ maxDepth: 5, maxKeys: 8 }),
      fc.constantFrom('Release', 'Serving', 'Hold', 'Freeze', 'Model', 'ModelVersion', 'Environment'),
    )
    .map(([at, fields, kind]) => {
      const text = stringify({ apiVersion: 'switchback/v1alpha1', kind, ...plain(fields) });
      return Buffer.concat([Buffer.from([at]), Buffer.from(text)]);
    }),
};

function fileOf(path: string, bytes: Buffer): Promise<RepositoryFile> {
  const blob = blobId(bytes.toString('latin1'));
  const source = {
    readBlob: async (_: BlobId, limitBytes: number) =>
      bytes.length > limitBytes
        ? ({ kind: 'too-large', sizeBytes: bytes.length } as const)
        : ({ kind: 'bytes', bytes } as const),
  };
  return readFile(source, { path, blob, mode: '100644' }, signal);
}

/** As far as YAML can say it. */
function plain(fields: object): object {
  return JSON.parse(
    JSON.stringify(fields, (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value)),
  );
}
