import type { HostileInput, HostileInputs } from './entry.ts';

const left = (what: string): HostileInput => ({ what, left: 'runtime protocols' });

/** Requests to a runtime. */
export const inference: HostileInputs = {
  H01: left('no token, one that has expired, one for somebody else'),
  H02: left('a body over the limit'),
  H03: left('a lying Content-Length, both lengths at once, a hundred thousand tiny chunks, vast headers'),
  H04: left('slow headers, a slow body, a half-open connection, a client that never reads'),
  H05: left('a Content-Type that is almost JSON'),
  H06: left('a body that inflates a thousandfold'),
  H07: left('JSON nested two hundred thousand levels deep'),
  H08: left('numbers beyond what a double holds, strings for numbers'),
  H09: left('keys that name the prototype'),
  H10: left('a wrong name, rank, dimension or datatype; an input too many'),
  H11: left('ragged arrays, null, an empty batch, one that is too large'),
  H12: left('a key twice in one object'),
  H13: left('bytes that are no UTF-8, lone surrogates'),
  H14: left('a model name that climbs out of a folder, or of ten kilobytes'),
  H15: left('a version that is unknown, or on its way out'),
  H16: left('a request id with a line break, or of a megabyte'),
  H17: left('a forged X-Forwarded-For'),
  H18: left('a client that goes away while its request runs'),
  H19: left('ten times the load it can bear'),
  H20: left('an idempotency key again, with another body'),
  H21: left('HTTP/1.0, OPTIONS, HEAD, TRACE, a method nobody knows'),
  H22: left('Expect: 100-continue'),
};
