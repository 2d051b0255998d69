/*
 * Run at the top of the repository, as they stand. Both change the next commit alone: rewriting former ones, as
 * `git lfs migrate import` does, needs a force-push, and takes version.yaml into LFS with the rest of its folder.
 */

/** `git lfs install` was never called where raw files come from; called again it changes nothing. */
export const SET_UP_LFS = 'git lfs install --local';

const ALWAYS = ['*.onnx', 'golden.json'];

/**
 * From now on large files go to LFS; what is committed stays as it is.
 *
 * @param name of one that has to be among them
 */
export function trackByLfs(name = 'model.onnx'): string {
  const names = name === 'golden.json' || name.endsWith('.onnx') ? ALWAYS : [...ALWAYS, name];
  return `${SET_UP_LFS} && git lfs track ${names.map(one => `"models/**/versions/**/${one}"`).join(' ')}`;
}

/** Large files that are in git itself go to LFS; bytes and digests stay. */
export function intoLfs(name?: string): string {
  return `${trackByLfs(name)} && git add --renormalize . && git add .gitattributes && git commit -m "Weights to LFS"`;
}

/** The same for the files that every version has. */
export const INTO_LFS: string = intoLfs();

/** Manifests that are in LFS come back into git; the last line of .gitattributes wins. */
export const OUT_OF_LFS =
  'echo "*.yaml !filter !diff !merge !text" >> .gitattributes && git add --renormalize . && git add .gitattributes && git commit -m "Manifests out of LFS"';
