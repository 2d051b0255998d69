import { ECHO_ROWS, ECHOED, type EchoedDatatype, named } from './echo-model.fixture.ts';

/** numpy's name of each datatype. */
const NUMPY: Readonly<Record<EchoedDatatype, string>> = {
  BOOL: 'bool',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FP16: 'float16',
  FP32: 'float32',
  FP64: 'float64',
  BYTES: 'object',
};

/** What a client has to get back from `echo`, keyed by datatype or by name of output, in the form of `seen.py`. */
export function backFrom(
  keys: 'by datatype' | 'by output',
  datatypes: readonly EchoedDatatype[] = ECHOED,
): Record<string, object> {
  return Object.fromEntries(
    datatypes.map(datatype => [
      keys === 'by datatype' ? datatype : named(datatype, 'out'),
      {
        dtype: NUMPY[datatype],
        shape: [2, 2],
        data: ECHO_ROWS[datatype].map(value => printed(datatype, value)),
      },
    ]),
  );
}

/** Integers are text only where JSON would round them. */
function printed(datatype: EchoedDatatype, value: number | string | boolean): number | string | boolean {
  const isLong = datatype === 'INT64' || datatype === 'UINT64';
  return isLong && Number.isSafeInteger(Number(value)) ? Number(value) : value;
}
