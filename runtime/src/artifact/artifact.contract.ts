import { createHash } from 'node:crypto';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { ArtifactDigest } from '@switchback-ml/schemas';
import { afterEach, describe, expect, test } from 'vitest';
import type { Artifacts } from './artifact.ts';

export interface ArtifactsUnderTest {
  artifacts: Artifacts;
  /** What the source has under a name, whatever its bytes are. */
  objects: Map<string, Uint8Array>;
  close(): Promise<void>;
}

/** What every source of artifacts must do. */
export function artifactContract(name: string, make: () => Promise<ArtifactsUnderTest>): void {
  describe(`artifact contract: ${name}`, () => {
    const closers: (() => PromiseLike<void>)[] = [];
    afterEach(async () => {
      for (const close of closers.splice(0)) await close();
    });
    async function source(): Promise<ArtifactsUnderTest> {
      const made = await make();
      closers.push(made.close, () => made.artifacts[Symbol.asyncDispose]());
      return made;
    }
    const signal = AbortSignal.timeout(20_000);

    test('gives a file with exactly the wanted bytes', async () => {
      const { artifacts, objects } = await source();
      const bytes = Buffer.alloc(300_000, 'model');
      objects.set(sha256(bytes), bytes);

      const path = await artifacts.open(wanted(bytes), signal);

      expect(sha256(await readFile(path))).toBe(sha256(bytes));
    });

    test('gives a file again when its source has lost it', async () => {
      const { artifacts, objects } = await source();
      const bytes = Buffer.from('kept');
      objects.set(sha256(bytes), bytes);
      const path = await artifacts.open(wanted(bytes), signal);
      objects.clear();

      await expect(artifacts.open(wanted(bytes), signal)).resolves.toBe(path);
    });

    test('pulls a file anew when its bytes have changed on disk', async () => {
      const { artifacts, objects } = await source();
      const bytes = Buffer.from('as it was');
      objects.set(sha256(bytes), bytes);
      const path = await artifacts.open(wanted(bytes), signal);
      await chmod(path, 0o600);
      await writeFile(path, 'as it is!');

      const again = await artifacts.open(wanted(bytes), signal);

      expect(await readFile(again, 'utf8')).toBe('as it was');
    });

    test.each([
      ['other bytes of the same size', 'wanted', 'nawted'],
      ['too few bytes', 'wanted', 'want'],
      ['too many bytes', 'wanted', 'wanted and more'],
    ])('refuses %s, and takes the right ones later', async (_, right, wrong) => {
      const { artifacts, objects } = await source();
      const bytes = Buffer.from(right);
      objects.set(sha256(bytes), Buffer.from(wrong));

      await expect(artifacts.open(wanted(bytes), signal)).rejects.toMatchObject({ code: 'E_ARTIFACT_PULL' });

      objects.set(sha256(bytes), bytes);
      await expect(artifacts.open(wanted(bytes), signal)).resolves.toBeTypeOf('string');
    });

    test('says which artifact its source does not have', async () => {
      const { artifacts } = await source();
      const bytes = Buffer.from('nowhere');

      await expect(artifacts.open(wanted(bytes), signal)).rejects.toMatchObject({
        code: 'E_ARTIFACT_PULL',
        message: expect.stringContaining(sha256(bytes).slice(0, 12)),
      });
    });

    test('keeps what is needed, whatever else may go', async () => {
      const { artifacts, objects } = await source();
      const bytes = Buffer.from('last good');
      objects.set(sha256(bytes), bytes);
      const path = await artifacts.open(wanted(bytes), signal);
      objects.clear();

      await artifacts.keepOnly(new Set([wanted(bytes).sha256]));

      await expect(artifacts.open(wanted(bytes), signal)).resolves.toBe(path);
    });

    test('gives the same file to two who ask at once', async () => {
      const { artifacts, objects } = await source();
      const bytes = Buffer.alloc(100_000, 'twice');
      objects.set(sha256(bytes), bytes);

      const [one, other] = await Promise.all([
        artifacts.open(wanted(bytes), signal),
        artifacts.open(wanted(bytes), signal),
      ]);

      expect(one).toBe(other);
      expect(sha256(await readFile(one))).toBe(sha256(bytes));
    });
  });
}

function wanted(bytes: Uint8Array) {
  return { sha256: ArtifactDigest.parse(sha256(bytes)), size: bytes.byteLength };
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
