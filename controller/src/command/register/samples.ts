import type { Datatype, GoldenTensor, Signature, TensorSpec } from '@switchback-ml/schemas';
import { parse } from 'csv-parse/sync';
import { messageOf, SwitchbackError } from '../../error.ts';
import { parseElement } from './element.ts';

/** Of the reader's own, which quote what they stumbled over whole. */
const LONGEST_WORDS = 200;
const MOST_ROWS = 100_000;

/** Rows of a table as the graph takes them, and the framework's own answers where columns hold them. */
export interface Samples {
  rows: number;
  inputs: Record<string, GoldenTensor>;
  /** By output; empty when no column is named like one. */
  answers: Record<string, GoldenTensor>;
}

interface Table {
  columns: readonly string[];
  rows: readonly Row[];
}

interface Row {
  cells: readonly string[];
  /** Of the file, from 1, as editors count. */
  line: number;
}

/** Which columns make one tensor, in its order. */
interface Binding {
  tensor: string;
  spec: TensorSpec;
  columns: readonly number[];
}

/**
 * Reads a CSV file with a header. Columns named like an output (`score`, or `scores.0` … for a wider one) are the
 * framework's answers. The rest are inputs: named like an input in the same way, or, for a graph with one input,
 * its features in the order of the file. Throws E_INPUT naming line and column.
 */
export function readSamples(csv: string, signature: Signature, file: string): Samples {
  const table = readTable(csv, file);
  const answers = Object.entries(signature.outputs).flatMap(
    ([tensor, spec]) => bindByName(table, tensor, spec, file) ?? [],
  );
  const taken = new Set(answers.flatMap(({ columns }) => columns));
  const inputs = bindInputs(table, signature, taken, file);
  const fill = (bindings: readonly Binding[]): Record<string, GoldenTensor> =>
    Object.fromEntries(bindings.map(binding => [binding.tensor, tensorOf(binding, table, file)]));
  return { rows: table.rows.length, inputs: fill(inputs), answers: fill(answers) };
}

function readTable(csv: string, file: string): Table {
  const [header, ...rows] = parseCsv(csv, file);
  if (!header || rows.length === 0)
    throw refused(file, 'has no rows', 'Give at least one line under the header; 50 or more are better.');
  const columns = header.cells.map(name => name.trim());
  const seen = new Set<string>();
  const twice = columns.find(name => seen.size === seen.add(name).size);
  if (twice !== undefined) throw refused(file, `has two columns named "${twice}"`, 'Rename one.');
  if (rows.length > MOST_ROWS)
    throw refused(file, `has ${rows.length} rows`, `Golden answers need no more than ${MOST_ROWS}.`);
  return { columns, rows };
}

function parseCsv(csv: string, file: string): Row[] {
  try {
    const options = { bom: true, skip_empty_lines: true, trim: true, info: true } as const;
    const records = parse(csv, options) as unknown as { info: { lines: number }; record: string[] }[];
    return records.map(({ info, record }) => ({ cells: record, line: info.lines }));
  } catch (cause) {
    throw new SwitchbackError(
      'E_INPUT',
      `${file} is not a CSV file: ${messageOf(cause).slice(0, LONGEST_WORDS)}.`,
      { cause },
    );
  }
}

/** Null when no column bears the tensor's name. */
function bindByName(table: Table, tensor: string, spec: TensorSpec, file: string): Binding | null {
  const { columns } = table;
  const whole = columns.indexOf(tensor);
  const parts = columns.filter(
    name => name.startsWith(`${tensor}.`) && /^\d+$/.test(name.slice(tensor.length + 1)),
  );
  if (whole < 0 && parts.length === 0) return null;
  const width = widthOf(spec) ?? Math.max(1, parts.length);
  if (whole >= 0 && width === 1) return { tensor, spec, columns: [whole] };

  const named = Array.from({ length: width }, (_, part) => columns.indexOf(`${tensor}.${part}`));
  const missing = named.indexOf(-1);
  if (missing < 0) return { tensor, spec, columns: named };
  const wanted = width === 1 ? `"${tensor}"` : `"${tensor}.0" to "${tensor}.${width - 1}"`;
  throw refused(file, `has no column "${tensor}.${missing}"`, `"${tensor}" needs ${wanted}.`);
}

function bindInputs(
  table: Table,
  { inputs }: Signature,
  taken: ReadonlySet<number>,
  file: string,
): Binding[] {
  const named = Object.entries(inputs).map(([tensor, spec]) => bindByName(table, tensor, spec, file));
  const bound = named.filter(binding => binding !== null);
  const isLeft = (index: number): boolean =>
    !taken.has(index) && !bound.some(({ columns }) => columns.includes(index));
  const left = table.columns.map((_, index) => index).filter(isLeft);
  if (bound.length === named.length) return left.length === 0 ? bound : refuseLeft(table, left, file);

  const [only] = Object.entries(inputs);
  if (named.length !== 1 || only === undefined) {
    const missing = Object.keys(inputs).filter((_, index) => named[index] === null);
    throw refused(
      file,
      `has no column for the input${missing.length > 1 ? 's' : ''} ${missing.join(', ')}`,
      'Name columns like the inputs: "age", or "features.0", "features.1", …',
    );
  }
  const [tensor, spec] = only;
  const width = widthOf(spec) ?? left.length;
  if (width === left.length) return [{ tensor, spec, columns: left }];
  throw refused(
    file,
    `has ${left.length} columns for "${tensor}", which takes ${width}`,
    `Give its ${width} features in order, and the framework's answers in columns named like the outputs.`,
  );
}

function refuseLeft({ columns }: Table, left: readonly number[], file: string): never {
  const names = left.slice(0, 5).map(index => `"${columns[index]}"`);
  throw refused(
    file,
    `has columns that are neither input nor output: ${names.join(', ')}${left.length > 5 ? ', …' : ''}`,
    'Remove them.',
  );
}

function tensorOf(
  { tensor, spec, columns }: Binding,
  { rows, columns: names }: Table,
  file: string,
): GoldenTensor {
  const data = rows.flatMap(({ cells, line }) =>
    columns.map(column => {
      const element = parseElement(cells[column] ?? '', spec.datatype);
      if (element !== null) return element;
      const what = `"${(cells[column] ?? '').slice(0, 40)}" in column "${names[column]}" is not ${article(spec.datatype)}`;
      throw refused(`${file}, line ${line}`, `(${tensor}): ${what}`, 'Mend the value or leave the row out.');
    }),
  );
  return { datatype: spec.datatype, shape: [rows.length, ...rowShape(spec, columns.length)], data };
}

/** Values of one row; null when the graph leaves it open. */
function widthOf({ shape }: TensorSpec): number | null {
  const rest = shape.slice(1);
  return rest.some(dimension => dimension < 0) ? null : rest.reduce((product, size) => product * size, 1);
}

/** The dimensions after the row; an open one takes what the columns give. */
function rowShape(spec: TensorSpec, width: number): number[] {
  const rest = spec.shape.slice(1);
  if (widthOf(spec) !== null) return rest;
  const known = rest.reduce((product, size) => (size < 0 ? product : product * size), 1);
  let isOpen = true;
  return rest.map(size => {
    if (size >= 0) return size;
    const open = isOpen ? width / known : 1;
    isOpen = false;
    return open;
  });
}

function article(datatype: Datatype): string {
  return datatype.startsWith('FP') ? `a finite ${datatype} number` : `a value of type ${datatype}`;
}

function refused(where: string, what: string, remedy: string): SwitchbackError {
  return new SwitchbackError('E_INPUT', `${where} ${what}. ${remedy}`);
}
