import { type FileHandle, open, stat } from 'node:fs/promises';

const CHUNK_BYTES = 64 * 1024;
/** Longer lines are cut: nobody reads them, and memory is bounded. */
const LONGEST_LINE = 64 * 1024;
/** Enough to hold a time with milliseconds: a log that was emptied begins with another. */
const HEAD_BYTES = 256;

/** One log file that grows, with those that were put aside before it; `close` when done. */
export class LogTail {
  readonly #file: string;
  #handle: FileHandle | null = null;
  #position = 0;
  /** What the file began with when it was read. */
  #head = Buffer.alloc(0);
  #rest = '';
  #decoder = new TextDecoder();

  constructor(file: string) {
    this.#file = file;
  }

  /** Everything that is there now, oldest first. `aside`: the files put aside, oldest first. */
  async *past(aside: readonly string[]): AsyncGenerator<string> {
    for (const file of aside) yield* wholeFile(file);
    yield* this.more();
    // The last words of a crash may lack their line break.
    if (this.#rest !== '') yield this.#take();
  }

  /** What was written since the last look, across a rotation by renaming and one by copying and truncating. */
  async *more(): AsyncGenerator<string> {
    this.#handle ??= await openOrNull(this.#file);
    if (this.#handle === null) return;
    const { ino } = await this.#handle.stat();
    if (await this.#wasEmptied(this.#handle)) {
      yield* this.#fromCopy();
      this.#restart();
    }
    yield* this.#read(this.#handle);
    const present = await stat(this.#file).catch(() => null);
    if (present === null || present.ino === ino) return;
    if (this.#rest !== '') yield this.#take();
    await this.close();
    this.#handle = await openOrNull(this.#file);
    if (this.#handle !== null) yield* this.#read(this.#handle);
  }

  async close(): Promise<void> {
    await this.#handle?.close();
    this.#handle = null;
    this.#restart();
  }

  #restart(): void {
    this.#position = 0;
    this.#head = Buffer.alloc(0);
  }

  /** Also when it has grown to its former length since. */
  async #wasEmptied(handle: FileHandle): Promise<boolean> {
    const { length } = this.#head;
    if (length === 0) return false;
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, 0);
    return bytesRead < length || !buffer.equals(this.#head);
  }

  /** The copy holds what we have read, and behind it what we have not. */
  async *#fromCopy(): AsyncGenerator<string> {
    const copy = await openOrNull(`${this.#file}.1`);
    if (copy === null) return;
    try {
      yield* this.#read(copy);
    } finally {
      await copy.close();
    }
  }

  async *#read(handle: FileHandle): AsyncGenerator<string> {
    for (;;) {
      const { bytesRead, buffer } = await handle.read(
        Buffer.alloc(CHUNK_BYTES),
        0,
        CHUNK_BYTES,
        this.#position,
      );
      if (bytesRead === 0) return;
      if (this.#position === 0) this.#head = Buffer.from(buffer.subarray(0, Math.min(bytesRead, HEAD_BYTES)));
      this.#position += bytesRead;
      const lines = (
        this.#rest + this.#decoder.decode(buffer.subarray(0, bytesRead), { stream: true })
      ).split('\n');
      this.#rest = (lines.pop() ?? '').slice(0, LONGEST_LINE);
      yield* lines.filter(line => line !== '').map(line => line.slice(0, LONGEST_LINE));
    }
  }

  #take(): string {
    const rest = this.#rest;
    this.#rest = '';
    return rest;
  }
}

async function* wholeFile(file: string): AsyncGenerator<string> {
  const tail = new LogTail(file);
  try {
    yield* tail.past([]);
  } finally {
    await tail.close();
  }
}

async function openOrNull(file: string): Promise<FileHandle | null> {
  try {
    return await open(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
