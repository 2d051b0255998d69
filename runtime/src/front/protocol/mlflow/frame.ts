import { badBody, isObject, type JsonObject } from '../tf-serving/body.ts';
import type { Table } from './table.ts';

/** `dataframe_split`: `columns`, where left out numbered from 0, and `data`, a list of rows. Throws E_BODY. */
export function tableOfSplit(frame: unknown): Table {
  if (!isObject(frame)) throw badBody('"dataframe_split" must be an object with "columns" and "data"');
  const { columns, data } = frame;
  if (!isListOfLists(data) || data.length === 0)
    throw badBody('"data" of "dataframe_split" must be a list of rows, each a list of cells');
  const names = columns === undefined ? data[0]!.map((_, index) => index) : columns;
  if (!Array.isArray(names) || names.length === 0 || !names.every(isName))
    throw badBody('"columns" of "dataframe_split" must be a list of names');
  for (const [row, { length }] of data.entries())
    if (length !== names.length)
      throw badBody(`row ${row} has ${length} cells, and there are ${names.length} columns`);
  return { columns: distinct(names.map(String)), rows: data, read: null };
}

/** `dataframe_records`: a list of objects of cells by column. Throws E_BODY. */
export function tableOfRecords(records: unknown): Table {
  if (!Array.isArray(records) || records.length === 0 || !records.every(isObject))
    throw badBody('"dataframe_records" must be a list of rows, each an object of cells by column');
  const columns = orderedKeys(records[0]!);
  const rows = records.map((record, index) => cellsOf(record, columns, index));
  return { columns, rows, read: null };
}

/** Throws E_BODY for a name that stands there twice: which of the two is meant is not for us to say. */
export function distinct(columns: readonly string[]): readonly string[] {
  const seen = new Set<string>();
  for (const name of columns) {
    if (seen.has(name)) throw badBody(`column ${JSON.stringify(name.slice(0, 100))} is there twice`);
    seen.add(name);
  }
  return columns;
}

/** A column that a record leaves out is an empty cell of it. */
function cellsOf(record: JsonObject, columns: readonly string[], index: number): unknown[] {
  let found = 0;
  const cells = columns.map(name => {
    if (!Object.hasOwn(record, name)) return null;
    found++;
    return record[name];
  });
  const names = Object.keys(record);
  if (names.length === found) return cells;
  const extra = names.find(name => !columns.includes(name)) ?? '';
  throw badBody(`row ${index} has a column ${JSON.stringify(extra.slice(0, 100))}, and the first has none`);
}

/**
 * In the order that they were sent in. Keys that are whole numbers lose theirs when JSON is read, so they are taken
 * where they are 0, 1, 2 and so on, and nothing else.
 */
function orderedKeys(record: JsonObject): string[] {
  const names = Object.keys(record);
  const numbered = names.filter(isWholeNumber);
  if (numbered.length === 0 || names.every((name, index) => name === String(index))) return names;
  throw badBody(
    `columns that are numbers (${numbered.slice(0, 5).join(', ')}) have no order in "dataframe_records": send "dataframe_split"`,
  );
}

function isWholeNumber(name: string): boolean {
  return /^(?:0|[1-9]\d{0,9})$/.test(name);
}

function isName(name: unknown): boolean {
  return typeof name === 'string' || typeof name === 'number' || typeof name === 'bigint';
}

function isListOfLists(value: unknown): value is unknown[][] {
  return Array.isArray(value) && value.every(Array.isArray);
}
