import { z } from 'zod';
import { ArtifactDigest } from '../identity.ts';
import { Line, manifest } from './envelope.ts';
import { Signature } from './signature.ts';

/** Beside `version.yaml`, never elsewhere: one path segment, no dot at the front. */
export const ArtifactFile = z
  .string()
  .regex(/^[A-Za-z0-9][-._A-Za-z0-9]{0,100}$/, 'must be a file name beside version.yaml, without a folder');

const Scalar = z.union(
  [z.string().max(500), z.number(), z.boolean(), z.null()],
  'must be a text of at most 500 characters, a number, true, false or null',
);

export const Artifact = z.strictObject({
  sha256: ArtifactDigest,
  /** Bytes. */
  size: z.int().positive(),
  /** Of golden answers: the largest allowed distance, `|got - want| <= tolerance * max(1, |want|)`. */
  tolerance: z.number().positive().max(1).optional(),
  /** Of golden answers: whose rows these are. */
  rows: z.enum(['synthetic', 'consented', 'public']).optional(),
});
export type Artifact = z.infer<typeof Artifact>;

/** Where the training code is: what a page may make a link of, so neither script nor data. */
const SourceRepository = Line.regex(
  /^(?:(?:https?|ssh|git):\/\/\S+|[-\w.]+@[-\w.]+:\S+|[A-Za-z0-9][-\w.]*(?::\d{1,5})?(?:\/\S*)?)$/,
  'must be host/path, or an https or ssh address',
);

const Dataset = z.strictObject({
  name: Line,
  role: z.enum(['train', 'validation', 'test', 'reference']).optional(),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{6,64}$/)
    .optional(),
  rows: z.int().nonnegative().optional(),
});

const Evaluation = z.strictObject({
  metric: Line,
  value: z.number(),
  on: Line.optional(),
  slice: Line.optional(),
  rows: z.int().positive().optional(),
  better: z.enum(['higher', 'lower']).default('higher'),
});
export type Evaluation = z.infer<typeof Evaluation>;

/** `models/<model>/versions/<label>/version.yaml`: one immutable entry, written by `switchback register`. */
export const ModelVersion = manifest('ModelVersion', {
  artifacts: z
    .record(ArtifactFile, Artifact)
    .refine(files => 'model.onnx' in files, 'must name model.onnx')
    .refine(
      files => 'golden.json' in files,
      'must name golden.json: a version without golden answers may not serve',
    ),
  signature: Signature,
  framework: z.strictObject({ name: Line, version: Line.optional() }).optional(),
  parameters: z.record(z.string().max(100), Scalar).optional(),
  lineage: z
    .strictObject({
      source: z
        .strictObject({
          repository: SourceRepository.optional(),
          commit: Line.optional(),
          run: Line.optional(),
        })
        .optional(),
      datasets: z.array(Dataset).max(100).optional(),
    })
    .optional(),
  evaluation: z.array(Evaluation).max(200).optional(),
});
export type ModelVersion = z.infer<typeof ModelVersion>;
