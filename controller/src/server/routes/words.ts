import { z } from 'zod';

/** One line of a person's words: it gets into commits and logs, where a second line could pretend to be ours. */
const Line = z
  .string()
  .trim()
  .min(1)
  .max(300)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the point
  .regex(/^[^\u0000-\u001f\u007f\u0085\u2028\u2029]*$/, 'must be one line, without control characters');

/** What a person says with every wish. */
export const Words = z.strictObject({
  reason: Line,
  /** Who wishes it, as the record shall name them. */
  by: Line.max(100)
    .refine(name => name !== 'controller', 'must be a person: "controller" is the controller itself')
    .default('operator'),
});
