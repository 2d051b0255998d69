import type { TensorSpec } from '@switchback-ml/schemas';
import type { GivenTensor } from '../tensors/given.ts';
import { badInput } from '../tensors/refusal.ts';
import { isObject } from './body.ts';

/** One more than any signature has: deeper nesting is wrong whatever its depth. */
const DEEPEST = 9;

/**
 * A tensor as nested lists, its shape read off the first element of each. `spec` is what the model declares for it;
 * undefined where the model has no such input, which is for the one validation to say.
 */
export function nestedTensor(name: string, value: unknown, spec: TensorSpec | undefined): GivenTensor {
  const shape = shapeOf(value);
  const plain = spec?.datatype === 'BYTES' ? withoutBase64(name, value, 0) : value;
  return {
    name,
    datatype: null,
    shape: spec !== undefined && isColumn(shape, spec) ? [...shape, 1] : shape,
    data: { kind: 'json', values: Array.isArray(plain) ? plain : [plain] },
  };
}

/** `{"b64": "…"}` and nothing besides: how bytes are written among strings. */
export function isBase64(value: unknown): value is { b64: string } {
  return isObject(value) && typeof value['b64'] === 'string' && Object.keys(value).length === 1;
}

function shapeOf(value: unknown): number[] {
  const shape: number[] = [];
  for (let level = value; Array.isArray(level) && shape.length < DEEPEST; level = level[0])
    shape.push(level.length);
  return shape;
}

/** A list of scalars for an input that wants a list of lists of one. */
function isColumn(shape: readonly number[], spec: TensorSpec): boolean {
  return shape.length === 1 && spec.shape.length === 2 && spec.shape[1] === 1;
}

function withoutBase64(name: string, value: unknown, depth: number): unknown {
  if (Array.isArray(value) && depth < DEEPEST)
    return value.map(element => withoutBase64(name, element, depth + 1));
  return isBase64(value) ? decodeBase64(name, value.b64) : value;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

function decodeBase64(name: string, text: string): string {
  if (!BASE64.test(text)) throw badInput(name, 'must be base64 in "b64"', 'other characters');
  try {
    return UTF8.decode(Buffer.from(text, 'base64'));
  } catch {
    throw badInput(name, 'must be text in UTF-8, also as base64', 'other bytes');
  }
}
