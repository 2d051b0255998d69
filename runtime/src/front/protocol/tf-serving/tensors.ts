import type { Signature, TensorSpec } from '@switchback-ml/schemas';
import { SwitchbackError } from '../../../error.ts';
import type { GivenTensor } from '../tensors/given.ts';
import { badInput } from '../tensors/refusal.ts';
import { isObject, type JsonObject } from './body.ts';
import { isBase64, nestedTensor } from './nested.ts';

/**
 * `instances`: an element for each row, which is the value of the only input, or an object of all inputs by name.
 * Throws E_INPUT for rows that differ in kind or in names.
 */
export function tensorsOfRows(rows: readonly unknown[], signature: Signature): GivenTensor[] {
  const [first] = rows;
  if (!isNamed(first)) return [bareRows(rows, signature)];
  const names = Object.keys(first);
  refuseOtherNames(rows, first, names.length);
  return names.map(name =>
    nestedTensor(
      name,
      rows.map(row => (row as JsonObject)[name]),
      specOf(signature, name),
    ),
  );
}

/** `inputs`: the value of the only input, or an object of all inputs by name. Throws E_INPUT. */
export function tensorsOfColumns(value: unknown, signature: Signature): GivenTensor[] {
  if (isNamed(value))
    return Object.entries(value).map(([name, tensor]) => nestedTensor(name, tensor, specOf(signature, name)));
  const name = onlyInput(signature, '"inputs" must be an object');
  return [nestedTensor(name, value, signature.inputs[name])];
}

/** Whether this is an object of values by name, and not bytes. */
export function isNamed(value: unknown): value is JsonObject {
  return isObject(value) && !isBase64(value);
}

export function specOf({ inputs }: Signature, name: string): TensorSpec | undefined {
  return Object.hasOwn(inputs, name) ? inputs[name] : undefined;
}

function bareRows(rows: readonly unknown[], signature: Signature): GivenTensor {
  const name = onlyInput(signature, 'each of "instances" must be an object');
  const odd = rows.findIndex(isNamed);
  if (odd !== -1)
    throw badInput(name, 'must be a bare value in every instance', `an object in instance ${odd}`);
  return nestedTensor(name, rows, signature.inputs[name]);
}

function refuseOtherNames(rows: readonly unknown[], first: JsonObject, size: number): void {
  for (const [index, row] of rows.entries()) {
    if (!isNamed(row))
      throw new SwitchbackError(
        'E_INPUT',
        `Every instance must be an object of inputs by name, as the first is; instance ${index} is none.`,
        { details: { instance: index } },
      );
    for (const name in first)
      if (!Object.hasOwn(row, name))
        throw badInput(name, 'must be in every instance', `nothing in instance ${index}`);
    const names = Object.keys(row);
    if (names.length === size) continue;
    const extra = names.find(name => !Object.hasOwn(first, name)) ?? '';
    throw badInput(extra, 'must be in every instance', `one in instance ${index} and none in the first`);
  }
}

function onlyInput({ inputs }: Signature, instead: string): string {
  const names = Object.keys(inputs);
  if (names.length === 1) return names[0]!;
  const message = `The model has several inputs, so ${instead} of them by name: ${names.join(', ')}.`;
  throw new SwitchbackError('E_INPUT', message, { details: { expected: names } });
}
