import type { Target } from './target.ts';
import { facts, samples } from './targets/files.ts';
import { commitBody, gitOutput, words } from './targets/git.ts';
import { lfsAnswer, lfsConfig, pointer } from './targets/lfs.ts';
import { manifest } from './targets/manifests.ts';
import { engineFrame, inferenceBinary, inferenceBody, modelFile, wireJson } from './targets/runtime.ts';

/** Every reader of bytes that come from outside. */
export const targets: Readonly<Record<string, Target>> = {
  manifest,
  pointer,
  'lfs-config': lfsConfig,
  'lfs-answer': lfsAnswer,
  'git-output': gitOutput,
  'commit-body': commitBody,
  words,
  'inference-body': inferenceBody,
  'inference-binary': inferenceBinary,
  'engine-frame': engineFrame,
  'wire-json': wireJson,
  'model-file': modelFile,
  samples,
  facts,
};
