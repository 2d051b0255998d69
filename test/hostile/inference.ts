import type { HostileInputs } from './entry.ts';

const FRONT = 'runtime/src/front/hostile.test.ts';
const LANE = 'runtime/src/front/lane/lane.test.ts';
const DOOR = 'runtime/src/front/door.test.ts';
const BODIES = 'runtime/src/front/protocol/v2/hostile.test.ts';
const OVERLOAD = 'runtime/src/inference/overload.test.ts';
const ROUTES = 'runtime/src/front/protocol/v2/routes.test.ts';

/** Requests to a runtime. */
export const inference: HostileInputs = {
  H01: {
    what: 'no key, another one, one that was taken away',
    file: FRONT,
    tests: ['H01 nobody gets in without a key, with another, or with one that was taken away'],
  },
  H02: {
    what: 'a body over the limit',
    file: DOOR,
    tests: ['refuses a body beyond the limit without reading on, however it comes (H02, H06)'],
  },
  H03: {
    what: 'a lying Content-Length, both lengths at once, a hundred thousand tiny chunks, vast headers',
    file: FRONT,
    tests: [
      'H03 %s is refused, and the server lives',
      'H03 a body in thousands of chunks of a byte is put together',
    ],
  },
  H04: {
    what: 'slow headers, a slow body, a half-open connection, a client that never reads',
    file: LANE,
    tests: [
      'cuts off who sends a part and no more, and who sends nothing (H04)',
      'takes nothing more from a client that does not read, and cuts it off (H04)',
    ],
  },
  H05: {
    what: 'a Content-Type that is almost JSON',
    file: ROUTES,
    tests: ['H05 a body is held against the same rules whatever its Content-Type says'],
  },
  H06: {
    what: 'a body that inflates a thousandfold',
    file: LANE,
    tests: ['understands a compressed body, and refuses one that grows too large (H06)'],
  },
  H07: {
    what: 'JSON nested two hundred thousand levels deep',
    file: BODIES,
    tests: ['H07 JSON nested two hundred thousand levels deep is refused before it is parsed'],
  },
  H08: {
    what: 'numbers beyond what a double holds, strings for numbers',
    file: BODIES,
    tests: ['H08 the number %s is refused with its index', 'H08 -0 keeps its sign, and 1E-400 is 0'],
  },
  H09: {
    what: 'keys that name the prototype',
    file: BODIES,
    tests: ['H09 %s is a name like any other, for keys, parameters, inputs and outputs'],
  },
  H10: {
    what: 'a wrong name, rank, dimension or datatype; an input too many',
    file: BODIES,
    tests: ['H10 an input with %s is refused, and so is one too many'],
  },
  H11: {
    what: 'ragged arrays, null, an empty batch, one that is too large',
    file: BODIES,
    tests: ['H11 %s are refused'],
  },
  H12: {
    what: 'a key twice in one object',
    file: BODIES,
    tests: ['H12 of a key that stands twice the last one counts, wherever it stands'],
  },
  H13: {
    what: 'bytes that are no UTF-8, lone surrogates',
    file: BODIES,
    tests: ['H13 bytes that are no UTF-8 and lone surrogates are refused, in names, texts and around them'],
  },
  H14: {
    what: 'a model name that climbs out of a folder, or of ten kilobytes',
    file: FRONT,
    tests: ['H14 a model name %s is no model'],
  },
  H15: {
    what: 'a version that is unknown, or on its way out',
    file: FRONT,
    tests: ['H15 a version that is unknown is told with those that are there'],
  },
  H16: {
    what: 'a request id with a line break, or of a megabyte',
    file: FRONT,
    tests: ['H16 a request id with a line break ends no head, and one of a megabyte is refused'],
  },
  H17: {
    what: 'a forged X-Forwarded-For',
    file: FRONT,
    tests: ['H17 a forged X-Forwarded-For changes nothing'],
  },
  H18: {
    what: 'a client that goes away while its request runs',
    file: LANE,
    tests: ['tells whose caller hung up, and answers nobody'],
  },
  H19: {
    what: 'ten times the load it can bear',
    file: OVERLOAD,
    tests: [
      'H19 more than can be done is turned away at once with a time to come again, and most of it unread',
    ],
  },
  H20: {
    what: 'an idempotency key again, with another body',
    file: FRONT,
    tests: ['H20 an idempotency key means nothing here: the body alone is answered'],
  },
  H21: {
    what: 'HTTP/1.0, OPTIONS, HEAD, TRACE, a method nobody knows',
    file: FRONT,
    tests: [
      'H21 HTTP/1.0 is answered and closed',
      'H21 %s is told what the address takes',
      'H21 %s is refused, and the server lives',
    ],
  },
  H22: {
    what: 'Expect: 100-continue',
    file: FRONT,
    tests: ['H22 whoever asks first whether to send is told to go on, and answered'],
  },
};
