import type { Backend, Datatype, TensorSpec } from '@switchback-ml/schemas';
import { isBatchable } from '../../../loading/signature.ts';

/** Field names as in `inference.proto`. */
export interface ModelConfig {
  name: string;
  platform: string;
  backend: string;
  max_batch_size: number;
  input: readonly ConfigTensor[];
  output: readonly ConfigTensor[];
  dynamic_batching?: { max_queue_delay_microseconds: number };
  model_transaction_policy: { decoupled: boolean };
  response_cache: { enable: boolean };
}

interface ConfigTensor {
  name: string;
  data_type: string;
  dims: readonly number[];
}

/** What load generators and clients ask for: above all whether requests have a dimension of rows, and how many fit. */
export function modelConfig(model: string, { signature, limits, batching, cache }: Backend): ModelConfig {
  const hasRows = isBatchable(signature);
  return {
    name: model,
    platform: 'onnxruntime_onnx',
    backend: 'onnxruntime',
    max_batch_size: hasRows ? limits.maxBatch : 0,
    input: tensors(signature.inputs, hasRows),
    output: tensors(signature.outputs, hasRows),
    ...(hasRows && { dynamic_batching: { max_queue_delay_microseconds: (batching?.waitMs ?? 0) * 1000 } }),
    model_transaction_policy: { decoupled: false },
    response_cache: { enable: cache !== undefined },
  };
}

function tensors(specs: Record<string, TensorSpec>, hasRows: boolean): ConfigTensor[] {
  return Object.entries(specs).map(([name, { datatype, shape }]) => ({
    name,
    data_type: dataType(datatype),
    dims: hasRows ? shape.slice(1) : shape,
  }));
}

function dataType(datatype: Datatype): string {
  return datatype === 'BYTES' ? 'TYPE_STRING' : `TYPE_${datatype}`;
}
