import { z } from 'zod';
import { Line, manifest, Text } from './envelope.ts';

/** `models/<model>/model.yaml`: who owns it and what it is for. */
export const Model = manifest('Model', {
  description: Text.optional(),
  owners: z.array(Line).max(50).optional(),
  task: Line.optional(),
});
export type Model = z.infer<typeof Model>;
