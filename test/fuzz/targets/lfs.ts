import { ArtifactDigest } from '@switchback-ml/schemas';
import { lfsAddresses } from '../../../controller/src/repository/lfs/address.ts';
import { askBatch } from '../../../controller/src/repository/lfs/batch.ts';
import { lfsConfigProblems } from '../../../controller/src/repository/lfs/lfs-config.ts';
import { parsePointer } from '../../../controller/src/repository/lfs/pointer.ts';
import type { Target } from '../target.ts';

const OID = 'b'.repeat(64);
const ENDPOINT = 'https://example.org/models.git/info/lfs';
const object = { digest: ArtifactDigest.parse(OID), sizeBytes: 1000 };
const signal = AbortSignal.timeout(2 ** 31 - 1);

export const pointer: Target = {
  read: bytes => {
    const parsed = parsePointer(bytes);
    if (parsed.kind === 'pointer' && !(parsed.sizeBytes >= 0)) throw new Error('a pointer of no size');
  },
  examples: [`version https://git-lfs.github.com/spec/v1\noid sha256:${OID}\nsize 1000\n`],
  words: [
    'version https://git-lfs.github.com/spec/v1\n',
    'oid sha256:',
    'size ',
    '\r\n',
    'ext-0-a sha256:',
    'sha1:',
  ],
};

export const lfsConfig: Target = {
  read: bytes => void lfsConfigProblems(bytes.toString('utf8'), ENDPOINT),
  examples: [
    '[lfs]\n\tfetchexclude = *\n',
    '[lfs]\n\turl = https://elsewhere.example/\n[remote "origin"]\n\tlfsurl = x\n',
  ],
  words: ['[lfs]', '[lfs "https://a"]', 'url = ', 'pushurl', 'access = ', '\\\n', '"', ';', '#'],
};

/** What an LFS server answers to a batch request. */
export const lfsAnswer: Target = {
  read: async bytes => {
    const answer = await askBatch({
      transport: async () =>
        new Response(bytes, { headers: { 'content-type': 'application/vnd.git-lfs+json' } }),
      addresses: lfsAddresses(ENDPOINT, []),
      operation: 'download',
      objects: [object],
      secrets: ['secret'],
      signal,
    });
    const { download } = answer(object);
    if (download && download.url.host !== 'example.org') throw new Error(`follows ${download.url.host}`);
  },
  examples: [
    JSON.stringify({
      transfer: 'basic',
      objects: [
        {
          oid: OID,
          size: 1000,
          actions: { download: { href: `${ENDPOINT}/objects/${OID}`, header: { a: 'b' }, expires_in: 60 } },
        },
      ],
    }),
    JSON.stringify({ objects: [{ oid: OID, size: 1000, error: { code: 404, message: 'gone' } }] }),
  ],
  words: [
    '"objects":[',
    '"actions":{',
    '"href":"',
    '"header":{',
    '"expires_in":',
    '"expires_at":"',
    'http://127.0.0.1/',
    'file:///',
    OID,
  ],
};
