import { z } from 'zod';

/** The Open Inference Protocol's tensor types that an ONNX graph may take or give. */
export const Datatype = z.enum([
  'BOOL',
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'FP16',
  'FP32',
  'FP64',
  'BYTES',
]);
export type Datatype = z.infer<typeof Datatype>;

/** Name of a tensor. Any printable ASCII; graphs use `/` and `:` freely. As a key of JSON one is lost on the way. */
export const TensorName = z
  .string()
  .regex(/^(?!__proto__$)[\x21-\x7e]{1,200}$/, 'must be 1 to 200 printable characters, and not "__proto__"');

/** -1 is a dimension that each request chooses. */
const Dimension = z
  .int()
  .min(-1)
  .max(2 ** 31 - 1);

export const TensorSpec = z.strictObject({ datatype: Datatype, shape: z.array(Dimension).max(8) });
export type TensorSpec = z.infer<typeof TensorSpec>;

/** Named, typed, shaped inputs and outputs of a model, as read from its graph. */
export const Signature = z.strictObject({
  inputs: z.record(TensorName, TensorSpec),
  outputs: z.record(TensorName, TensorSpec),
});
export type Signature = z.infer<typeof Signature>;
