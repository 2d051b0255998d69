import { expect, it } from 'vitest';
import { INTO_LFS, intoLfs, OUT_OF_LFS, trackByLfs } from './lfs-remedy.ts';

it('tracks a file of another name beside those that every version has', () => {
  expect(trackByLfs('weights.bin')).toBe(
    'git lfs install --local && git lfs track "models/**/versions/**/*.onnx" "models/**/versions/**/golden.json" "models/**/versions/**/weights.bin"',
  );
  expect(intoLfs('weights.bin').startsWith(trackByLfs('weights.bin'))).toBe(true);
});

it.each(['model.onnx', 'golden.json', 'encoder.onnx'])('needs no line of its own for %s', name => {
  expect(intoLfs(name)).toBe(INTO_LFS);
});

it('rewrites no commit that others may have', () => {
  for (const remedy of [INTO_LFS, OUT_OF_LFS]) expect(remedy).not.toMatch(/migrate|--amend|--force/);
});
