import { z } from 'zod';
import { Datatype, TensorName } from '../manifest/signature.ts';

const GoldenTensor = z.strictObject({
  datatype: Datatype,
  shape: z.array(z.int().nonnegative()).min(1),
  /** Row-major and flat. */
  data: z.array(z.union([z.number(), z.string(), z.boolean()])),
});
export type GoldenTensor = z.infer<typeof GoldenTensor>;

/** `golden.json`: rows and the answers the training framework itself gave; the first dimension is the row. */
export const GoldenAnswers = z.strictObject({
  /** framework: computed where the model was trained. graph: recorded from the graph at registration. */
  answers: z.enum(['framework', 'graph']).default('framework'),
  inputs: z.record(TensorName, GoldenTensor),
  outputs: z.record(TensorName, GoldenTensor),
});
export type GoldenAnswers = z.infer<typeof GoldenAnswers>;
