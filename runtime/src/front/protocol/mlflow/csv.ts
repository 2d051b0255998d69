import type { Datatype } from '@switchback-ml/schemas';
import { CsvError, parse } from 'csv-parse/sync';
import { badBody } from '../tf-serving/body.ts';
import { distinct } from './frame.ts';
import type { Table } from './table.ts';

const MOST_ROWS = 65_536;
/** Of one row: reading blocks the thread, and longer than JSON of the same size does. */
const MOST_ROW_BYTES = 256 * 1024;

const OPTIONS = {
  bom: true,
  record_delimiter: ['\r\n', '\n'],
  skip_empty_lines: true,
  // So that the row is named by what it is: the one counted from the header line.
  relax_column_count: true,
  max_record_size: MOST_ROW_BYTES,
  // The header line, and one row too many.
  to: MOST_ROWS + 2,
};

/** `text/csv` as RFC 4180 writes it: a header line of column names, then a line for each row. Throws E_BODY. */
export function tableOfCsv(text: string): Table {
  const [header, ...records] = parseRecords(text);
  if (header === undefined || records.length === 0)
    throw badBody('it needs a header line and at least one row');
  if (records.length > MOST_ROWS) throw badBody(`it has more than ${MOST_ROWS} rows`);
  if (header.includes(''))
    throw badBody('a column has no name in the header line; where it is an index, leave it out');
  for (const [row, { length }] of records.entries())
    if (length !== header.length)
      throw badBody(`row ${row} has ${length} cells, and there are ${header.length} columns`);
  return { columns: distinct(header), rows: records, read: readCell };
}

function parseRecords(text: string): string[][] {
  try {
    return parse(text, OPTIONS);
  } catch (error) {
    if (error instanceof CsvError)
      throw badBody(`line ${error['lines']}: ${WHYS[error.code] ?? 'its quotes do not match'}`);
    throw error;
  }
}

const WHYS: Partial<Record<CsvError['code'], string>> = {
  CSV_QUOTE_NOT_CLOSED: 'a quote is never closed',
  CSV_MAX_RECORD_SIZE: `the row is longer than ${MOST_ROW_BYTES} bytes`,
};

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

const WHOLE = /^-?\d+$/;

const BOOLEANS: ReadonlyMap<unknown, boolean> = new Map([
  ['true', true],
  ['True', true],
  ['TRUE', true],
  ['1', true],
  ['false', false],
  ['False', false],
  ['FALSE', false],
  ['0', false],
]);

/** The column's type says what a text is. A cell with nothing in it is a missing value, whatever the type. */
function readCell(cell: unknown, datatype: Datatype): unknown {
  if (typeof cell !== 'string' || cell === '') return null;
  if (datatype === 'BYTES') return cell;
  if (datatype === 'BOOL') return BOOLEANS.get(cell) ?? cell;
  if (!NUMBER.test(cell)) return cell;
  return isLong(datatype) && WHOLE.test(cell) ? BigInt(cell) : Number(cell);
}

function isLong(datatype: Datatype): boolean {
  return datatype === 'INT64' || datatype === 'UINT64';
}
