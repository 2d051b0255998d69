import type { HostileInputs } from './entry.ts';

const GATEWAY = 'runtime/src/gateway/hostile.test.ts';
const SMUGGLING = 'runtime/src/gateway/smuggling.test.ts';

/** The same requests, sent to a gateway: those of them that it answers itself, or might pass on wrongly. */
export const gateway: HostileInputs = {
  H02: {
    what: 'a body over the limit',
    file: GATEWAY,
    tests: ['a body beyond the limit is 413 before it is read, stated or not (H02)'],
  },
  H03: {
    what: 'lengths, chunks and lines that two servers may read in two ways',
    file: SMUGGLING,
    tests: [
      'of one request none is made two, and nobody gets the answer of another (H03)',
      'a hundred thousand chunks of a byte are one body',
    ],
  },
  H04: {
    what: 'slow headers, a slow body, a half-open connection, a client that never reads',
    file: GATEWAY,
    tests: [
      'who sends a part and no more, or nothing, is cut off, and so is who does not read (H04)',
      'by the other way too, who sends a body slowly is told so and cut off, and so is who does not read (H04)',
      'a client that closes its half is answered nothing, and its request is given up (H04)',
    ],
  },
  H14: {
    what: 'a model name that climbs out of a folder, or of ten kilobytes',
    file: GATEWAY,
    tests: ['names that are paths reach no runtime (H14)'],
  },
  H17: {
    what: 'a forged X-Forwarded-For',
    file: GATEWAY,
    tests: ['where a client says that it comes from is replaced by where it comes from (H17)'],
  },
  H18: {
    what: 'a client that goes away while its request runs',
    file: 'runtime/src/gateway/exchange.test.ts',
    tests: ['is cancelled at the runtime when its caller hangs up (%s)'],
  },
  H21: {
    what: 'HTTP/1.0, OPTIONS, HEAD, TRACE, a method nobody knows',
    file: GATEWAY,
    tests: ['old versions and odd verbs are answered or refused, never mixed up (H21)'],
  },
  H22: {
    what: 'Expect: 100-continue',
    file: GATEWAY,
    tests: ['an expectation is met by the gateway, and not passed on (H22)'],
  },
};
