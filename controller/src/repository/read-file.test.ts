import { createHash } from 'node:crypto';
import type { BlobId } from '@switchback-ml/schemas';
import { describe, expect, it } from 'vitest';
import { formatPointer, parsePointer } from './lfs/pointer.ts';
import { memoryRemote, memoryRepository } from './memory/index.ts';
import { readFile } from './read-file.ts';

const signal = AbortSignal.timeout(30_000);
const MODEL = 'models/fraud/versions/1.0.0/model.onnx';
const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 5\n`;

async function read(
  path: string,
  content: string | Uint8Array,
  mode = '100644',
): ReturnType<typeof readFile> {
  await using repository = memoryRepository({ remote: memoryRemote() });
  const author = { name: 'Ada', email: 'ada@example.org' };
  const commit = await repository.commit(
    { parent: null, edits: new Map([[path, content]]), message: 'm', author, at: 0 },
    signal,
  );
  const [change] = await repository.diff(null, commit, signal);
  return readFile(repository, { path, blob: change!.blob as BlobId, mode }, signal);
}
const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('readFile', () => {
  it('gives a manifest as text, without its byte-order mark', async () => {
    expect(await read('models/fraud/model.yaml', '\ufeffkind: Model\r\n')).toMatchObject({
      kind: 'manifest',
      text: 'kind: Model\r\n',
      mode: '100644',
    });
  });

  it.each([
    ['invalid UTF-8', Uint8Array.of(0x61, 0xff)],
    ['UTF-16', Buffer.from('\ufeffkind: Model', 'utf16le')],
    ['an overlong form', Uint8Array.of(0xc0, 0xaf)],
  ])('refuses a manifest in %s', async (_, bytes) => {
    expect(await read('models/fraud/model.yaml', bytes)).toMatchObject({
      kind: 'refused',
      code: 'E_MANIFEST_ENCODING',
    });
  });

  it('refuses a manifest above 64 KiB, and takes one of exactly that', async () => {
    expect(await read('models/fraud/model.yaml', 'x'.repeat(65_537))).toMatchObject({
      code: 'E_MANIFEST_TOO_LARGE',
    });
    expect(await read('models/fraud/model.yaml', 'x'.repeat(65_536))).toMatchObject({ kind: 'manifest' });
  });

  it.each([
    ['120000', 'symbolic link'],
    ['160000', 'submodule'],
  ])('refuses mode %s, a %s', async (mode, words) => {
    expect(await read('models/fraud/model.yaml', 'x', mode)).toMatchObject({
      kind: 'refused',
      code: 'E_FILE_KIND',
      message: expect.stringContaining(words),
    });
  });

  it('knows a manifest that went to LFS for a pointer, not for YAML', async () => {
    expect(await read('models/fraud/versions/1.0.0/version.yaml', POINTER)).toMatchObject({
      kind: 'pointer',
    });
  });

  it('knows a pointer for what it names', async () => {
    const pointer = parsePointer(Buffer.from(POINTER));
    expect(pointer.kind === 'pointer' && formatPointer(pointer)).toBe(POINTER);
    expect(await read(MODEL, POINTER)).toMatchObject({
      kind: 'pointer',
      digest: 'a'.repeat(64),
      sizeBytes: 5,
    });
  });

  it.each([
    ['with CRLF', POINTER.replaceAll('\n', '\r\n')],
    ['that is too long', POINTER.padEnd(3000, '\n')],
  ])('refuses a pointer %s', async (_, text) => {
    expect(await read(MODEL, text)).toMatchObject({ kind: 'refused', code: 'E_LFS_POINTER' });
  });

  it.each([0, 5, 1024, 100_000])('gives raw bytes of %i with size and digest', async size => {
    const bytes = new Uint8Array(size).fill(7);
    expect(await read(MODEL, bytes)).toMatchObject({ kind: 'raw', sizeBytes: size, digest: sha256(bytes) });
  });

  it('does not read raw bytes above 16 MiB', async () => {
    const asked: number[] = [];
    const source = {
      readBlob: async (_: BlobId, limitBytes: number) => {
        asked.push(limitBytes);
        return { kind: 'too-large' as const, sizeBytes: 2 ** 30 };
      },
    };

    const file = await readFile(
      source,
      { path: MODEL, blob: 'b'.repeat(40) as BlobId, mode: '100644' },
      signal,
    );
    expect(file).toMatchObject({ kind: 'raw', sizeBytes: 2 ** 30, digest: null });
    expect(Math.max(...asked)).toBe(16 * 2 ** 20);
  });
});
