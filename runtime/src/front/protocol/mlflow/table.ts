import type { Backend, Datatype, Signature } from '@switchback-ml/schemas';
import { elementCount } from '../../../engine/tensor.ts';
import { SwitchbackError } from '../../../error.ts';
import type { InferenceInput } from '../../../inference/call.ts';
import { type GivenTensor, readTensors } from '../tensors/given.ts';
import { badInput } from '../tensors/refusal.ts';
import { withExactLongs } from '../tf-serving/exact.ts';
import { nestedTensor } from '../tf-serving/nested.ts';
import { specOf } from '../tf-serving/tensors.ts';

/** A data frame: rows of cells, each as long as there are columns. */
export interface Table {
  columns: readonly string[];
  rows: readonly (readonly unknown[])[];
  /** What a cell says as an element of this type; what it can't be stays, to be refused. Null: what it is. */
  read: ((cell: unknown, datatype: Datatype) => unknown) | null;
}

/**
 * Columns by name where the model has an input for each; for a model with one input of several columns, which keeps
 * no names of them, the columns side by side in the order that they came in. `exact`: the same table, with integers
 * as they were written. Throws E_INPUT, with row and column.
 */
export function readTable(table: Table, exact: () => Table, backend: Backend): InferenceInput {
  const { signature } = backend;
  const whole = inputOfAllColumns(table, signature);
  const given = withExactLongs(tensorsOf(table, whole, signature), signature, () =>
    tensorsOf(exact(), whole, signature),
  );
  try {
    return readTensors(given, backend);
  } catch (error) {
    throw located(error, table, given, whole);
  }
}

function tensorsOf(table: Table, whole: string | null, signature: Signature): GivenTensor[] {
  if (whole !== null) return [sideBySide(table, whole, signature)];
  return table.columns.map((name, index) => column(table, name, index, signature));
}

/** The only input, where it has several columns of its own and is not itself the only one of the table. */
function inputOfAllColumns({ columns }: Table, { inputs }: Signature): string | null {
  const [name, ...others] = Object.keys(inputs);
  if (name === undefined || others.length > 0) return null;
  if (columns.length === 1 && columns[0] === name) return null;
  const { shape } = inputs[name]!;
  return shape.length === 2 && shape[1] !== 1 ? name : null;
}

function sideBySide({ columns, rows, read }: Table, name: string, { inputs }: Signature): GivenTensor {
  const { datatype, shape } = inputs[name]!;
  if (shape[1] !== -1 && shape[1] !== columns.length)
    throw badInput(name, `takes ${shape[1]} columns`, `${columns.length}`);
  const values = read === null ? rows : rows.map(row => row.map(cell => read(cell, datatype)));
  return nestedTensor(name, values, inputs[name]);
}

function column({ rows, read }: Table, name: string, index: number, signature: Signature): GivenTensor {
  const spec = specOf(signature, name);
  const cells = rows.map(row => row[index]);
  const values = read === null || spec === undefined ? cells : cells.map(cell => read(cell, spec.datatype));
  return nestedTensor(name, values, spec);
}

/** An element that is refused, said by row and column instead of by its index in memory. */
function located(error: unknown, table: Table, given: readonly GivenTensor[], whole: string | null): unknown {
  if (!(error instanceof SwitchbackError)) return error;
  const { tensor, index, expected } = error.details;
  const refused = given.find(({ name }) => whole !== null || name === tensor);
  if (typeof index !== 'number' || refused === undefined) return error;
  const width = elementCount(refused.shape.slice(1));
  const row = Math.floor(index / width);
  const name = whole !== null ? table.columns[index % width]! : refused.name;
  const got = isEmpty(table, row, name) ? 'empty' : error.details['got'];
  const message = `Row ${row}, column ${JSON.stringify(name.slice(0, 100))} must be ${expected}, not ${got}.`;
  return new SwitchbackError('E_INPUT', message, {
    details: { tensor, row, column: name.slice(0, 100), expected, got },
  });
}

/** Of a text: what was read as a missing value was written as nothing. */
function isEmpty({ columns, rows, read }: Table, row: number, column: string): boolean {
  return read !== null && rows[row]?.[columns.indexOf(column)] === '';
}
