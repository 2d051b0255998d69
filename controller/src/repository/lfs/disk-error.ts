import { SwitchbackError } from '../../error.ts';
import type { LfsObject } from '../repository.ts';

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Of an error of the file system; null for any other. */
export function diskCodeOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}

/** A full disk is named; a path of this machine is not. */
export function fitToBeShown(error: unknown, object: LfsObject): unknown {
  const code = diskCodeOf(error);
  if (code === null) return error;
  if (FULL.has(code)) return diskFull(object, error);
  const { digest, sizeBytes } = object;
  return new SwitchbackError(
    'E_LFS_OBJECT',
    `The LFS object ${digest} of ${sizeBytes} bytes can not be kept: the disk said ${code}.`,
    { cause: error, details: { digest, disk: code } },
  );
}

export function diskFull({ digest, sizeBytes }: LfsObject, cause?: unknown): SwitchbackError {
  return new SwitchbackError(
    'E_DISK_FULL',
    `The disk has no room for the ${sizeBytes} bytes of the artifact ${digest}. What serves goes on serving. Free some space.`,
    { cause, details: { digest, sizeBytes, disk: diskCodeOf(cause) ?? 'ENOSPC' } },
  );
}

export function tooLong({ digest, sizeBytes }: LfsObject): SwitchbackError {
  return new SwitchbackError(
    'E_LFS_OBJECT',
    `More than the declared ${sizeBytes} bytes came for the LFS object ${digest}; it was cut off there. Push the object again, or correct the size in its pointer.`,
    { details: { digest, sizeBytes } },
  );
}
