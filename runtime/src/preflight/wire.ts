import protobuf from 'protobufjs/minimal.js';
import type { ModelFile } from './model-file.ts';
import { refused } from './refusal.ts';

const WINDOW_BYTES = 128 * 1024;
/** Tag and length, or tag and value: ten bytes are the longest varint. Zeros behind the last byte end any varint. */
const LONGEST_HEAD_BYTES = 20;
const LONGEST_TEXT_BYTES = 1000;
/** Large forests have some millions; fifty million take about two seconds. */
const MOST_FIELDS = 50_000_000;

const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
const FIXED32 = 5;

/** One field of a protobuf message, by where its content stands in the file. */
export interface Field {
  number: number;
  type: number;
  /** Offset of the field itself. */
  at: number;
  /** Of its content: the value, or what its length covers. */
  start: number;
  end: number;
}

/** Thrown where bytes are not the wire format of protobuf. */
export class WireError extends Error {
  readonly isTruncated: boolean;

  constructor(message: string, isTruncated = false) {
    super(message);
    this.isTruncated = isTruncated;
  }
}

/**
 * Walks the wire format of a file through one small window that only moves: content that nobody asks for, such as
 * weights, is never read.
 */
export class Wire {
  readonly sizeBytes: number;
  readonly #file: ModelFile;
  readonly #window = Buffer.alloc(WINDOW_BYTES + LONGEST_HEAD_BYTES);
  readonly #reader = protobuf.Reader.create(this.#window);
  #from = 0;
  #filled = 0;
  #fields = 0;

  constructor(file: ModelFile) {
    this.#file = file;
    this.sizeBytes = file.sizeBytes;
  }

  /** The fields of the message that stands between two offsets, in their order. */
  *fields(start: number, end: number): Generator<Field, void, undefined> {
    for (let at = start; at < end; ) {
      const field = this.#fieldAt(at, end);
      yield field;
      at = field.end;
    }
  }

  /** A whole number; beyond 2^53 only its size is right. */
  number(field: Field): number {
    this.#expect(field, VARINT);
    const { value } = this.#varintAt(field.start, field.end);
    return value;
  }

  text(field: Field): string {
    const [start, end] = this.content(field);
    if (end - start > LONGEST_TEXT_BYTES)
      throw refused(
        `the name at byte ${start} has ${end - start} bytes, and ${LONGEST_TEXT_BYTES} are the most`,
        'Export it with shorter names.',
      );
    const from = start - this.#from;
    const isInside = from >= 0 && end <= this.#from + this.#filled;
    return isInside
      ? this.#window.toString('utf8', from, from + end - start)
      : this.bytes(start, end).toString('utf8');
  }

  /** Where the message or the bytes of a field stand. */
  content(field: Field): [start: number, end: number] {
    this.#expect(field, DELIMITED);
    return [field.start, field.end];
  }

  /** The numbers of a repeated field, which come one by one or packed. */
  *numbers(field: Field): Generator<number, void, undefined> {
    if (field.type === VARINT) return yield this.number(field);
    const [start, end] = this.content(field);
    for (let at = start; at < end; ) {
      const { value, next } = this.#varintAt(at, end);
      yield value;
      at = next;
    }
  }

  /** How many elements a repeated field adds: of `elementBytes` each, or varints where that is null. */
  count(field: Field, elementBytes: 4 | 8 | null): number {
    if (field.type !== DELIMITED) {
      this.#expect(field, elementBytes === null ? VARINT : elementBytes === 4 ? FIXED32 : FIXED64);
      return 1;
    }
    const sizeBytes = field.end - field.start;
    if (elementBytes === null) return this.#countVarints(field.start, field.end);
    if (sizeBytes % elementBytes === 0) return sizeBytes / elementBytes;
    throw new WireError(`the numbers at byte ${field.start} are cut short`);
  }

  /** A copy of a few bytes. */
  bytes(start: number, end: number): Buffer {
    const copy = Buffer.alloc(Math.max(0, end - start));
    const filled = this.#file.read(copy, start);
    return copy.subarray(0, filled);
  }

  #fieldAt(at: number, end: number): Field {
    const reader = this.#seek(at);
    let type = 0;
    let number = 0;
    let start = 0;
    let stop = 0;
    try {
      const tag = reader.tag();
      number = tag >>> 3;
      type = tag & 7;
      const size = type === DELIMITED ? reader.size() : 0;
      start = this.#tell();
      if (type === VARINT) reader.skip();
      stop = this.#tell() + size + (type === FIXED64 ? 8 : type === FIXED32 ? 4 : 0);
    } catch {
      throw noField(at);
    }
    const isKnown = type === VARINT || type === FIXED64 || type === DELIMITED || type === FIXED32;
    if (number === 0 || !isKnown) throw noField(at);
    if (stop > end) throw cutShort(at, end, stop);
    if (++this.#fields > MOST_FIELDS)
      throw refused(`it has more than ${MOST_FIELDS} fields`, 'Make the model smaller.');
    return { number, type, at, start, end: stop };
  }

  #varintAt(at: number, end: number): { value: number; next: number } {
    const reader = this.#seek(at);
    let value = 0;
    try {
      value = Number(reader.int64());
    } catch {
      throw noField(at);
    }
    const next = this.#tell();
    if (next > end) throw cutShort(at, end, next);
    return { value, next };
  }

  #countVarints(start: number, end: number): number {
    let count = 0;
    let isOpen = false;
    for (let at = start; at < end; at += WINDOW_BYTES) {
      const part = this.bytes(at, Math.min(end, at + WINDOW_BYTES));
      for (const byte of part) if (byte < 128) count++;
      isOpen = (part.at(-1) ?? 0) >= 128;
    }
    if (isOpen) throw new WireError(`the numbers at byte ${start} are cut short`);
    return count;
  }

  #expect({ number, type, at }: Field, wanted: number): void {
    if (type !== wanted)
      throw new WireError(`field ${number} at byte ${at} is of another kind than ONNX has it`);
  }

  #tell(): number {
    return this.#from + this.#reader.pos;
  }

  /** The reader, standing at an offset with at least the head of a field before it. */
  #seek(at: number): protobuf.Reader {
    const isInside = at >= this.#from && at + LONGEST_HEAD_BYTES <= this.#from + this.#filled;
    const isLast = at >= this.#from && this.#from + this.#filled >= this.sizeBytes;
    if (!isInside && !isLast) {
      this.#from = at;
      this.#filled = this.#file.read(this.#window.subarray(0, WINDOW_BYTES), at);
      this.#window.fill(0, this.#filled);
    }
    this.#reader.pos = at - this.#from;
    return this.#reader;
  }
}

function noField(at: number): WireError {
  return new WireError(`byte ${at} begins no field`);
}

function cutShort(at: number, end: number, wanted: number): WireError {
  return new WireError(
    `what begins at byte ${at} should go on to byte ${wanted} and ends at byte ${end}`,
    true,
  );
}
