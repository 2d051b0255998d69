import type { Backend } from '@switchback-ml/schemas';

/** What every answer of one revision begins with, worked out once. */
export class Beginnings {
  readonly model: string;
  /** Of the body, up to its version. */
  readonly head: Uint8Array;
  readonly #outputs = new Map<string, Uint8Array>();

  constructor(model: string, { version, signature }: Backend) {
    this.model = model;
    this.head = Buffer.from(`{"model_name":${ascii(model)},"model_version":${ascii(version)}`);
    for (const name of Object.keys(signature.outputs)) this.#outputs.set(name, outputBeginning(name));
  }

  /** Of an output, up to its shape. */
  output(name: string): Uint8Array {
    return this.#outputs.get(name) ?? outputBeginning(name);
  }
}

const BEGINNINGS = new WeakMap<Backend, Beginnings>();

export function beginningsOf(backend: Backend, model: string): Beginnings {
  const known = BEGINNINGS.get(backend);
  if (known !== undefined && known.model === model) return known;
  const beginnings = new Beginnings(model, backend);
  BEGINNINGS.set(backend, beginnings);
  return beginnings;
}

function outputBeginning(name: string): Uint8Array {
  return Buffer.from(`{"name":${ascii(name)},"shape":[`);
}

/** As JSON, with escapes for whatever is not ASCII. */
function ascii(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
