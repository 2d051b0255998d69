import { malformed, type WireReader } from './wire-reader.ts';

/** Longer names are none that is looked for. */
const MOST_NAME_BYTES = 100;
const MOST_TEXT_BYTES = 1000;

export interface Parameter {
  name: string;
  /** Null where the sender set none. */
  value: boolean | number | string | null;
}

/** One entry of a map of parameters. */
export function readParameter(entry: WireReader): Parameter {
  const parameter: Parameter = { name: '', value: null };
  while (entry.next()) {
    if (entry.number === 1) parameter.name = entry.text(MOST_NAME_BYTES);
    else if (entry.number === 2) parameter.value = readValue(entry.inner());
  }
  return parameter;
}

function readValue(choice: WireReader): Parameter['value'] {
  let value: Parameter['value'] = null;
  while (choice.next()) {
    if (choice.number === 1) value = choice.unsigned !== 0;
    else if (choice.number === 2) value = choice.signed;
    else if (choice.number === 3) value = choice.text(MOST_TEXT_BYTES);
    else if (choice.number === 4) value = choice.double();
    else if (choice.number === 5) value = choice.unsigned;
  }
  return value;
}

/** Throws E_BODY for anything but a whole number of at least `low`. */
export function wholeNumber({ name, value }: Parameter, low: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= low) return value;
  throw malformed(`parameter "${name}" must be a whole number from ${low}, as int64_param or uint64_param`);
}
