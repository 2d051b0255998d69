import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { refused } from './refusal.ts';

/** Protobuf's own limit of one message. */
const LARGEST_BYTES = 2 ** 31 - 1;

/** A model file that is open for reading; nothing of it is read yet. */
export interface ModelFile extends Disposable {
  sizeBytes: number;
  /** Fills `target` from `offset`; says how many bytes there were. */
  read(target: Uint8Array, offset: number): number;
}

/** Opens what is one plain file under one name, and no larger than ONNX can be. Throws E_MODEL_LOAD. */
export function openModelFile(path: string): ModelFile {
  const descriptor = openPlain(path);
  try {
    const found = fstatSync(descriptor);
    refuseUnsafe(found);
    return {
      sizeBytes: found.size,
      read: (target, offset) => readFully(descriptor, target, offset),
      [Symbol.dispose]: () => closeSync(descriptor),
    };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

function openPlain(path: string): number {
  try {
    // Without O_NONBLOCK, opening a pipe would wait for its writer.
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ELOOP') throw refused('it is a symbolic link', 'Name the file itself.');
    if (code === 'ENOENT') throw refused('it is not there', 'Check its name.');
    throw refused(`it can not be opened (${code ?? 'no reason given'})`, 'Check who may read it.');
  }
}

function refuseUnsafe(found: Stats): void {
  if (!found.isFile()) throw refused('it is not a plain file', 'Name the .onnx file itself.');
  if (found.nlink !== 1)
    throw refused(
      `it is a hard link, and the same bytes stand under ${found.nlink} names`,
      'Copy it, and use the copy.',
    );
  if (found.size > LARGEST_BYTES) {
    const gibibytes = (found.size / 2 ** 30).toFixed(1);
    throw refused(
      `it has ${gibibytes} GiB, and an ONNX file ends at 2 GiB`,
      'Make the model smaller, by quantization or with FP16 weights; weights in files of their own are not served.',
    );
  }
}

function readFully(descriptor: number, target: Uint8Array, offset: number): number {
  let filled = 0;
  while (filled < target.length) {
    const count = readSync(descriptor, target, filled, target.length - filled, offset + filled);
    if (count === 0) break;
    filled += count;
  }
  return filled;
}
