import type { Tensor, Tensors } from '../engine/tensor.ts';

type Outline = Pick<Tensor, 'datatype' | 'shape'>;

/** The shape keys of one revision's inputs. Most are like those before, and their key need not be made anew. */
export class Shapes {
  /** Without the data, which would be held for nothing. */
  #last: ReadonlyMap<string, Outline> = new Map();
  #key = '';

  keyOf(inputs: Tensors): string {
    if (areAlike(inputs, this.#last)) return this.#key;
    this.#last = new Map(Array.from(inputs, ([name, { datatype, shape }]) => [name, { datatype, shape }]));
    this.#key = shapeKeyOf(inputs);
    return this.#key;
  }
}

/** Equal for inputs that can be put under each other: same tensors, types and shapes beyond the first dimension. */
export function shapeKeyOf(inputs: ReadonlyMap<string, Outline>): string {
  let key = '';
  for (const [name, { datatype, shape }] of inputs) key += `${name} ${datatype} ${shape.slice(1).join()};`;
  return key;
}

/** Quicker than to make both keys. */
function areAlike(some: ReadonlyMap<string, Outline>, others: ReadonlyMap<string, Outline>): boolean {
  if (some.size !== others.size) return false;
  for (const [name, { datatype, shape }] of some) {
    const other = others.get(name);
    if (other === undefined || other.datatype !== datatype || other.shape.length !== shape.length)
      return false;
    for (let index = 1; index < shape.length; index++) if (shape[index] !== other.shape[index]) return false;
  }
  return true;
}
