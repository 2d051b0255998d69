import { z } from 'zod';

export const API_VERSION = 'switchback/v1alpha1';

/** Every manifest begins with these two; the path is the identity, so there is no name inside. */
export function manifest<Kind extends string, Shape extends z.ZodRawShape>(kind: Kind, shape: Shape) {
  return z.strictObject({ apiVersion: z.literal(API_VERSION), kind: z.literal(kind), ...shape });
}

/** Free text from a person: shown, never interpreted. No control characters, so it can't forge a log line. */
export const Text = z
  .string()
  .min(1)
  .max(2000)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the point
  .regex(/^[^\u0000-\u0008\u000b-\u001f\u007f]*$/, 'must not contain control characters');

/** A name, a title, an owner: text of one line, as it goes into lists, subjects and trailers. */
export const Line = Text.max(300).regex(/^[^\n\t]*$/, 'must be one line');
