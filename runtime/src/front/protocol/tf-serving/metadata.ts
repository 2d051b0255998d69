import type { Backend, Datatype, TensorSpec } from '@switchback-ml/schemas';

/** TensorFlow's word for each datatype. */
const DTYPES = {
  BOOL: 'DT_BOOL',
  UINT8: 'DT_UINT8',
  UINT16: 'DT_UINT16',
  UINT32: 'DT_UINT32',
  UINT64: 'DT_UINT64',
  INT8: 'DT_INT8',
  INT16: 'DT_INT16',
  INT32: 'DT_INT32',
  INT64: 'DT_INT64',
  FP16: 'DT_HALF',
  FP32: 'DT_FLOAT',
  FP64: 'DT_DOUBLE',
  BYTES: 'DT_STRING',
} as const satisfies Record<Datatype, string>;

/** The body of `…/metadata`: the signature of the model as the only one of a saved model. */
export function metadata(model: string, { version, signature }: Backend): object {
  const only = {
    inputs: tensors(signature.inputs),
    outputs: tensors(signature.outputs),
    method_name: 'tensorflow/serving/predict',
  };
  return {
    model_spec: { name: model, signature_name: '', version },
    metadata: { signature_def: { signature_def: { serving_default: only } } },
  };
}

/** 64-bit numbers are strings in protobuf's JSON, the sizes of dimensions too. */
function tensors(specs: Record<string, TensorSpec>): object {
  const described = Object.entries(specs).map(([name, { datatype, shape }]) => [
    name,
    {
      dtype: DTYPES[datatype],
      tensor_shape: { dim: shape.map(size => ({ size: String(size), name: '' })), unknown_rank: false },
      name,
    },
  ]);
  return Object.fromEntries(described);
}
