const GZIP_OR_ZLIB = /^(?:1f8b|7801|785e|789c|78da)/;
const PICKLE_OF_TEXT = /^(?:c[A-Za-z_][\w.]*\n|\((?:dp|lp|i[A-Za-z_]))/;

interface Kind {
  what: string;
  /** Of the file's first bytes, as hexadecimal digits and as Latin-1. */
  is: (hex: string, text: string) => boolean;
  remedy: string;
}

const EXPORT = 'Export the model to ONNX where it was trained, and give that file.';

/** What is given instead of ONNX, most telling first. */
const KINDS: readonly Kind[] = [
  {
    what: 'a Git LFS pointer, which only names the model',
    is: (_, text) => text.startsWith('version https://git-lfs.github.com/spec/'),
    remedy: 'Fetch the file itself: git lfs pull.',
  },
  {
    what: 'a PyTorch file',
    is: (hex, text) =>
      (hex.startsWith('504b0304') && /data\.pkl|\/version\b|\.data\/|\/byteorder/.test(text)) ||
      /^80028a0a6cfc9c46f920/.test(hex),
    remedy: 'Export it by torch.onnx.export, and give that file.',
  },
  {
    what: 'a Keras file',
    is: (hex, text) =>
      hex.startsWith('504b0304') && /metadata\.json|config\.json|model\.weights\.h5/.test(text),
    remedy: 'Export it by tf2onnx or model.export(format="onnx"), and give that file.',
  },
  {
    what: 'a zip archive',
    is: hex => hex.startsWith('504b0304') || hex.startsWith('504b0506'),
    remedy: 'If an ONNX file is in it, unpack it and give that file; else export the model to ONNX.',
  },
  {
    what: 'a pickle, which runs code when it is opened',
    is: (hex, text) => /^80(?:0[2-5])/.test(hex) || PICKLE_OF_TEXT.test(text),
    remedy: 'Export the model to ONNX where it was trained (skl2onnx for scikit-learn), and give that file.',
  },
  {
    what: 'a compressed file, such as joblib writes',
    is: hex => GZIP_OR_ZLIB.test(hex) || /^(?:425a68|fd377a585a00|28b52ffd|04224d18|5a4600)/.test(hex),
    remedy: 'Unpack it if it holds ONNX; else export the model to ONNX where it was trained.',
  },
  { what: 'a safetensors file: weights without a graph', is: (_, text) => text[8] === '{', remedy: EXPORT },
  {
    what: 'an HDF5 file, as Keras writes',
    is: hex => hex.startsWith('894844460d0a1a0a'),
    remedy: 'Export it by tf2onnx or model.export(format="onnx"), and give that file.',
  },
  { what: 'a TFLite file', is: (_, text) => text.slice(4, 8) === 'TFL3', remedy: EXPORT },
  {
    what: 'an ORT file, which fits one version of ONNX Runtime',
    is: (_, text) => text.slice(4, 8) === 'ORTM',
    remedy: 'Give the ONNX file it was made of.',
  },
  { what: 'a GGUF file', is: (_, text) => text.startsWith('GGUF'), remedy: EXPORT },
  { what: 'a NumPy array', is: (_, text) => text.startsWith('\x93NUMPY'), remedy: EXPORT },
  {
    what: 'a program or a library',
    is: (hex, text) => hex.startsWith('7f454c46') || text.startsWith('MZ') || text.startsWith('#!'),
    remedy: EXPORT,
  },
  {
    what: 'text, not ONNX',
    is: hex => /^(?:(?:09|0a|0d|[2-6][0-9a-f]|7[0-9a-e]){8,})$/.test(hex),
    remedy: 'See what is in it: an answer of a server, or a model in a format of its own? Export it to ONNX.',
  },
];

/** How many bytes from the beginning tell. */
export const TELLING_BYTES = 256;

/** What a file that is not ONNX is instead, by its beginning; null when that says nothing. */
export function recogniseForeign(beginning: Buffer): { what: string; remedy: string } | null {
  const hex = beginning.toString('hex');
  const text = beginning.toString('latin1');
  return KINDS.find(({ is }) => is(hex, text)) ?? null;
}
