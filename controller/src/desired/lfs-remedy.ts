/*
 * Run at the top of the repository, as they stand. Both change the next commit alone: rewriting former ones, as
 * `git lfs migrate import` does, needs a force-push, and takes version.yaml into LFS with the rest of its folder.
 */

/** Large files that are in git itself go to LFS; bytes and digests stay. */
export const INTO_LFS =
  'git lfs track "models/**/versions/**/*.onnx" "models/**/versions/**/golden.json" && git add --renormalize . && git add .gitattributes && git commit -m "Weights to LFS"';

/** Manifests that are in LFS come back into git; the last line of .gitattributes wins. */
export const OUT_OF_LFS =
  'echo "*.yaml !filter !diff !merge !text" >> .gitattributes && git add --renormalize . && git add .gitattributes && git commit -m "Manifests out of LFS"';
