const MIB = 2 ** 20;
/** Of a blank engine, before one was measured. */
const BLANK_BYTES = 64 * MIB;
const BYTES_PER_FILE_BYTE = 2;
const SMALL_FILE_BYTES = MIB;

/** What is known of an engine before it is there. */
export interface Size {
  /** What one of the same graph held, warm; null: none was ever loaded. */
  knownBytes: number | null;
  /** Of the graph. */
  fileBytes: number;
}

/** How much memory an engine will hold, as learned from those that were loaded. */
export class Sizes {
  #blankBytes = BLANK_BYTES;
  #isBlankKnown = false;
  /** Of the smallest graphs, beyond a blank engine. */
  #graphBytes = 0;

  /** Of a blank engine, as measured last. */
  get blankBytes(): number {
    return this.#blankBytes;
  }

  /** Whether an engine was looked at when it was blank. */
  get isBlankKnown(): boolean {
    return this.#isBlankKnown;
  }

  /** A graph that was never loaded here takes what others did. */
  expectedBytes({ knownBytes, fileBytes }: Size): number {
    return knownBytes ?? this.#blankBytes + Math.max(this.#graphBytes, fileBytes * BYTES_PER_FILE_BYTE);
  }

  /** Of a blank engine; null: it can't be known. */
  learnBlank(bytes: number | null): void {
    this.#blankBytes = bytes ?? this.#blankBytes;
    this.#isBlankKnown = true;
  }

  /** Even the smallest graph takes something: of those so small that this is all, as measured last. */
  learn({ fileBytes }: Size, warmBytes: number): void {
    if (fileBytes <= SMALL_FILE_BYTES) this.#graphBytes = Math.max(0, warmBytes - this.#blankBytes);
  }
}
