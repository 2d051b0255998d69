import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

export interface Rotation {
  /** Of a file; the line that passes it is the last. */
  bytes: number;
  /** Kept, the one that is written to among them; the oldest go. */
  files: number;
}

const NAME = /^payloads-(\d{10})\.jsonl$/;

/** Numbered files in one folder, of which only the newest is written to. A start begins another one. */
export class RotatingFiles implements AsyncDisposable {
  readonly #folder: string;
  readonly #rotation: Rotation;
  #number: number;
  #file: FileHandle | null = null;
  #written = 0;

  private constructor(folder: string, rotation: Rotation, number: number) {
    this.#folder = folder;
    this.#rotation = rotation;
    this.#number = number;
  }

  static async open(folder: string, rotation: Rotation): Promise<RotatingFiles> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return new RotatingFiles(folder, rotation, Math.max(0, ...(await numbersIn(folder))));
  }

  /** Whole lines. After a failure the next ones go to another file, since the last line of this one may be torn. */
  async append(text: string): Promise<void> {
    try {
      const file = this.#file ?? (await this.#next());
      await file.appendFile(text);
      this.#written += Buffer.byteLength(text);
      if (this.#written >= this.#rotation.bytes) await this.#close();
    } catch (error) {
      await this.#close().catch(() => {});
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }

  /** Only its owner may read it: what was asked may be about people. */
  async #next(): Promise<FileHandle> {
    this.#number++;
    this.#file = await open(join(this.#folder, nameOf(this.#number)), 'ax', 0o600);
    this.#written = 0;
    const numbers = (await numbersIn(this.#folder)).toSorted((a, b) => b - a);
    for (const number of numbers.slice(this.#rotation.files))
      await rm(join(this.#folder, nameOf(number)), { force: true });
    return this.#file;
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close();
  }
}

async function numbersIn(folder: string): Promise<number[]> {
  return (await readdir(folder)).flatMap(name => {
    const digits = NAME.exec(name)?.[1];
    return digits === undefined ? [] : [Number(digits)];
  });
}

function nameOf(number: number): string {
  return `payloads-${String(number).padStart(10, '0')}.jsonl`;
}
