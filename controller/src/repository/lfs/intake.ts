import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { ArtifactDigest } from '@switchback-ml/schemas';
import type { LfsObject } from '../repository.ts';
import { tooLong } from './disk-error.ts';
import { readChunks } from './read-chunks.ts';

/** One object on its way in: hashed as it is written, and never longer than it declares. */
export class Intake implements AsyncDisposable {
  readonly #handle: FileHandle;
  readonly #object: LfsObject;
  #hash = createHash('sha256');
  #bytes = 0;

  private constructor(handle: FileHandle, object: LfsObject) {
    this.#handle = handle;
    this.#object = object;
  }

  /** Into a file that must not be there yet. */
  static async begin(file: string, object: LfsObject): Promise<Intake> {
    return new Intake(await open(file, 'wx', 0o644), object);
  }

  /** Behind what the file holds already, as far as that can be the beginning of the object. */
  static async resume(file: string, object: LfsObject, signal: AbortSignal): Promise<Intake> {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
    const intake = new Intake(await open(file, flags, 0o644), object);
    try {
      await intake.#readBack(signal);
      return intake;
    } catch (error) {
      await intake[Symbol.asyncDispose]();
      throw error;
    }
  }

  get bytes(): number {
    return this.#bytes;
  }

  async write(chunk: Uint8Array): Promise<void> {
    const end = this.#bytes + chunk.length;
    if (end > this.#object.sizeBytes) throw tooLong(this.#object);
    for (let done = 0; done < chunk.length; ) {
      const at = this.#bytes + done;
      const { bytesWritten } = await this.#handle.write(chunk, done, chunk.length - done, at);
      done += bytesWritten;
    }
    this.#hash.update(chunk);
    this.#bytes = end;
  }

  /** As if nothing had come. */
  async startOver(): Promise<void> {
    await this.#handle.truncate(0);
    this.#hash = createHash('sha256');
    this.#bytes = 0;
  }

  /** What has come; it is on the disk by then. */
  async finish(): Promise<LfsObject> {
    await this.#handle.sync();
    return { digest: ArtifactDigest.parse(this.#hash.copy().digest('hex')), sizeBytes: this.#bytes };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#handle.close();
  }

  async #readBack(signal: AbortSignal): Promise<void> {
    const found = await this.#handle.stat();
    if (!found.isFile() || found.nlink !== 1 || found.size > this.#object.sizeBytes) return this.startOver();
    for await (const chunk of readChunks(this.#handle, signal)) {
      this.#hash.update(chunk);
      this.#bytes += chunk.length;
    }
  }
}
