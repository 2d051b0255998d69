import type { HostileInputs } from './entry.ts';

const LFS = 'controller/src/repository/lfs';

/** Pointers, and what an LFS server can do to its client. */
export const lfs: HostileInputs = {
  L01: {
    what: 'a pointer that is too long, unsorted, with other line ends, capitals, another hash or more keys',
    file: `${LFS}/pointer.test.ts`,
    tests: [
      'calls a pointer with %s malformed and says why',
      'CRLF line ends',
      'an upper-case oid',
      'another hash',
      'unsorted keys',
      'an extra key',
      '1024 bytes',
    ],
  },
  L02: {
    what: 'a pointer that declares another size than the object has',
    file: `${LFS}/hostile.test.ts`,
    tests: ['that has the object in another size than the pointer says is not asked for it'],
  },
  L03: {
    what: 'other bytes of the right size',
    file: `${LFS}/hostile.test.ts`,
    tests: ['that sends other bytes of the right size has them set aside'],
  },
  L04: {
    what: 'an object that is missing, gone or forbidden',
    file: `${LFS}/hostile.test.ts`,
    tests: ['that answers %i for an object keeps it waiting, by its digest, and no other'],
  },
  L05: {
    what: 'more bytes than declared',
    file: `${LFS}/hostile.test.ts`,
    tests: ['that never stops sending is cut off where the object ends'],
  },
  L06: {
    what: 'bytes that drip',
    file: `${LFS}/client.transfer.test.ts`,
    tests: ['is given up where it only drips'],
  },
  L07: {
    what: 'a redirect to another host, to this machine, to the metadata service',
    file: `${LFS}/hostile.test.ts`,
    tests: [
      'that sends the client to %s is not followed',
      'another host',
      'another port of this machine',
      'the metadata service',
    ],
  },
  L08: {
    what: 'an .lfsconfig that sends LFS elsewhere',
    file: `${LFS}/artifact-source.test.ts`,
    tests: ['asks the server beside the repository, wherever an .lfsconfig in it points'],
  },
  L09: {
    what: 'a pointer that declares 10 TB',
    file: `${LFS}/hostile.test.ts`,
    tests: ['is not asked at all for 10 TB'],
  },
  L10: {
    what: 'an address that is a file or a command',
    file: `${LFS}/hostile.test.ts`,
    tests: ['that sends the client to %s is not followed', 'a file', 'a command'],
  },
  L11: {
    what: 'the text of a pointer where the model should be',
    file: 'runtime/src/preflight/model-file.test.ts',
    tests: ['an LFS pointer'],
  },
  L12: {
    what: 'weights committed without LFS',
    file: 'controller/src/desired/models.test.ts',
    tests: ['is taken with a warning when its artifact is in git itself'],
  },
  L13: {
    what: 'a download that is cut at 99 %',
    file: `${LFS}/hostile.test.ts`,
    tests: ['that cuts the line at 99 % shows nobody a half file, and is asked for the last percent alone'],
  },
  L14: {
    what: 'a disk that fills up half-way',
    file: `${LFS}/store.full-disk.test.ts`,
    tests: [
      'removes what it has of it, says so, serves what it has, and fetches again once there is room',
      'removes what it has of it and names the disk',
    ],
  },
};
