import type { HostileInput, HostileInputs } from './entry.ts';

const left = (what: string): HostileInput => ({ what, left: 'batch inference' });

/** Files of rows to be scored. */
export const batches: HostileInputs = {
  B01: left('a quote that is never closed'),
  B02: left('a byte order mark, odd line ends, another separator, blank or equal headers'),
  B03: left('rows of different length'),
  B04: left('cells that a spreadsheet would run'),
  B05: left('a line of two gigabytes, a million columns'),
  B06: left('Parquet with a false footer, a bomb, a nested schema, an unknown codec'),
  B07: left('one bad line among good ones'),
  B08: left('a crash half-way'),
  B09: left('an output that exists, may not be written, has no room'),
  B10: left('a file that shrinks while it is read'),
};
