import { statfs } from 'node:fs/promises';
import type { LfsObject } from '../repository.ts';
import { diskFull } from './disk-error.ts';

/** Room for what is on its way in, beside a reserve for everybody else on the disk. */
export interface DiskRoom {
  /** Throws E_DISK_FULL where the object does not fit, beside all others that are under way. */
  claim(object: LfsObject, missingBytes: number): Promise<Claim>;
}

export interface Claim extends Disposable {
  /** Called behind each chunk; throws E_DISK_FULL when somebody else has filled the disk meanwhile. */
  written(bytes: number): Promise<void>;
}

export interface DiskRoomSettings {
  directory: string;
  reserveBytes: number;
  /** Frees so many bytes, if it can. */
  makeRoom(bytes: number): Promise<void>;
}

/** How often the disk is looked at while it is written to. */
const LOOK_EVERY_BYTES = 16 * 2 ** 20;

export function diskRoom({ directory, reserveBytes, makeRoom }: DiskRoomSettings): DiskRoom {
  let claimedBytes = 0;

  async function find(object: LfsObject, bytes: number): Promise<void> {
    const free = async (): Promise<number> => {
      const { bavail, bsize } = await statfs(directory);
      return bavail * bsize;
    };
    const missing = bytes + reserveBytes - (await free());
    if (missing <= 0) return;
    await makeRoom(missing);
    if (bytes + reserveBytes > (await free())) throw diskFull(object);
  }

  return {
    claim: async (object, missingBytes) => {
      let left = missingBytes;
      let sinceLook = 0;
      claimedBytes += left;
      const release = (bytes: number): void => {
        left -= bytes;
        claimedBytes -= bytes;
      };
      try {
        await find(object, claimedBytes);
      } catch (error) {
        release(left);
        throw error;
      }
      return {
        written: async bytes => {
          release(Math.min(bytes, left));
          sinceLook += bytes;
          if (sinceLook < LOOK_EVERY_BYTES) return;
          sinceLook = 0;
          await find(object, 0);
        },
        [Symbol.dispose]: () => release(left),
      };
    },
  };
}
