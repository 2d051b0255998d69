/** The files of a version that stand in git as LFS pointers. */
const TRACKED = /^models\/(?:.+\/)?versions\/(?:.+\/)?(?:[^/]+\.onnx|golden\.json|profile\.json)$/;

export function isTracked(path: string): boolean {
  return TRACKED.test(path);
}

/** The same rule in git's words, `.gitattributes` at the root of a model repository. */
export const GIT_ATTRIBUTES = ['*.onnx', 'golden.json', 'profile.json']
  .map(name => `models/**/versions/**/${name} filter=lfs diff=lfs merge=lfs -text\n`)
  .join('');

/** `.lfsconfig`: a clone gets pointers alone and stays small; `git lfs pull --exclude=` brings the weights. */
export const LFS_CONFIG = '[lfs]\n\tfetchexclude = *\n';
