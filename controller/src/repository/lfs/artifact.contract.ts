import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArtifactDigest } from '@switchback-ml/schemas';
import { describe, expect, it } from 'vitest';
import { SwitchbackError } from '../../error.ts';
import type { ArtifactSink, ArtifactSource, LfsObject } from '../repository.ts';

export interface ArtifactWorld<Port> extends AsyncDisposable {
  port: Port;
  /** Puts bytes there in the adapter's own way, beside the port. */
  put(bytes: Buffer): Promise<void>;
}

export function objectOf(bytes: Uint8Array): LfsObject {
  const digest = ArtifactDigest.parse(createHash('sha256').update(bytes).digest('hex'));
  return { digest, sizeBytes: bytes.length };
}

/** What a source writes, in one piece. */
export async function downloadAll(
  source: ArtifactSource,
  object: LfsObject,
  signal: AbortSignal = new AbortController().signal,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  await source.download(
    object,
    async chunk => {
      chunks.push(Buffer.from(chunk));
    },
    signal,
  );
  return Buffer.concat(chunks);
}

const LARGE = Buffer.alloc(3_000_000, 'large ');

export function artifactSourceContract(
  name: string,
  open: () => Promise<ArtifactWorld<ArtifactSource>>,
): void {
  describe(`${name} as a source of artifacts`, () => {
    it.each([
      ['small', Buffer.from('weights')],
      ['of one byte', Buffer.from([0])],
      ['of many chunks', LARGE],
    ])('gives an object %s byte by byte', async (_, bytes) => {
      await using world = await open();
      await world.put(bytes);

      expect((await downloadAll(world.port, objectOf(bytes))).equals(bytes)).toBe(true);
    });

    it('says E_LFS_OBJECT for what is not there, naming the digest', async () => {
      await using world = await open();
      const object = objectOf(Buffer.from('never pushed'));

      const error = await downloadAll(world.port, object).catch(String);

      expect(error).toContain(object.digest);
      await expect(downloadAll(world.port, object)).rejects.toMatchObject({ code: 'E_LFS_OBJECT' });
    });

    it('passes on what its reader throws, as it is, and stops there', async () => {
      await using world = await open();
      await world.put(LARGE);
      const full = new SwitchbackError('E_LFS_OBJECT', 'The disk is full.');
      let written = 0;

      const download = world.port.download(
        objectOf(LARGE),
        async () => {
          written++;
          throw full;
        },
        new AbortController().signal,
      );

      await expect(download).rejects.toBe(full);
      expect(written).toBe(1);
    });

    it('writes one chunk after the other', async () => {
      await using world = await open();
      await world.put(LARGE);
      let writing = 0;
      let most = 0;

      await world.port.download(
        objectOf(LARGE),
        async () => {
          most = Math.max(most, ++writing);
          await new Promise(resolve => setImmediate(resolve));
          writing--;
        },
        new AbortController().signal,
      );

      expect(most).toBe(1);
    });

    it('does nothing for a signal that was aborted before', async () => {
      await using world = await open();
      const bytes = Buffer.from('weights');
      await world.put(bytes);

      await expect(downloadAll(world.port, objectOf(bytes), AbortSignal.abort())).rejects.toThrow();
    });
  });
}

export function artifactSinkContract(
  name: string,
  open: () => Promise<ArtifactWorld<ArtifactSource & ArtifactSink>>,
): void {
  describe(`${name} as a sink of artifacts`, () => {
    const never = new AbortController().signal;

    it('keeps what is uploaded, also a second time', async () => {
      await using world = await open();
      await using files = await temporary({ a: Buffer.from('one'), b: LARGE });

      await world.port.upload(files.objects, never);
      await world.port.upload(files.objects, never);

      for (const object of files.objects)
        expect(objectOf(await downloadAll(world.port, object))).toMatchObject({ digest: object.digest });
    });

    it('does not read the file of an object that is there', async () => {
      await using world = await open();
      const bytes = Buffer.from('there already');
      await world.put(bytes);

      await world.port.upload([{ ...objectOf(bytes), file: '/nowhere/at/all' }], never);
    });

    it.each([
      ['other bytes of the same size', Buffer.from('weighed')],
      ['fewer bytes', Buffer.from('weig')],
      ['more bytes', Buffer.from('weights and more')],
    ])('keeps nothing of a file that holds %s than its digest says', async (_, actual) => {
      await using world = await open();
      const object = objectOf(Buffer.from('weights'));
      await using files = await temporary({ a: actual });
      const [{ file } = { file: '' }] = files.objects;

      const upload = world.port.upload([{ ...object, file }], never);

      await expect(upload).rejects.toBeInstanceOf(SwitchbackError);
      await expect(downloadAll(world.port, object)).rejects.toMatchObject({ code: 'E_LFS_OBJECT' });
    });
  });
}

async function temporary(
  contents: Record<string, Buffer>,
): Promise<AsyncDisposable & { objects: (LfsObject & { file: string })[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'switchback-test-'));
  const objects = await Promise.all(
    Object.entries(contents).map(async ([name, bytes]) => {
      const file = join(folder, name);
      await writeFile(file, bytes);
      return { ...objectOf(bytes), file };
    }),
  );
  return { objects, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}
