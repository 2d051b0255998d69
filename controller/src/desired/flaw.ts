import type { ErrorCode } from '@switchback-ml/schemas';

/** What is wrong with one text, for a person; who knows the path makes a problem of it. */
export interface Flaw {
  code: ErrorCode;
  message: string;
  remedy: string;
  /** 1-based. */
  line?: number;
  /** Dotted, from the top of the document. */
  field?: string;
}

const SENTENCES: Partial<Record<ErrorCode, [message: string, remedy: string]>> = {
  E_MANIFEST_EMPTY: ['is empty', 'Write the manifest, or remove the file.'],
  E_MANIFEST_TOO_LARGE: ['is larger than 64 KiB', 'Split it: a manifest holds one document, never data.'],
  E_MANIFEST_DEPTH: ['is nested too deeply', 'Write it flat: no manifest needs more than a few levels.'],
  E_MANIFEST_ENCODING: [
    'holds control characters, or characters that turn the direction of text',
    'Save it as plain UTF-8 text without them.',
  ],
  E_MANIFEST_MANY_DOCUMENTS: ['holds more than one document', 'Put each document into its own file.'],
  E_MANIFEST_ALIAS: [
    'uses an anchor, an alias or a merge key',
    'Write the value out; manifests have no references inside.',
  ],
  E_MANIFEST_DUPLICATE_KEY: ['says the same key twice', 'Keep one of the two.'],
  E_MANIFEST_SYNTAX: [
    'uses a tag or a key that manifests may not use',
    'Use plain YAML with ordinary string keys.',
  ],
  E_MANIFEST_SECRET: [
    'holds what looks like a secret',
    'Take it out and revoke it: git keeps it in its history. No manifest needs one.',
  ],
  E_FILE_KIND: ['is no ordinary file', 'Commit the manifest itself.'],
};

/** A flaw in the usual words of its code; `said` where they can be more exact. */
export function flaw(code: ErrorCode, said: Partial<Omit<Flaw, 'code'>> = {}): Flaw {
  const [message, remedy] = SENTENCES[code] ?? ['is not a manifest', 'See docs/reference/manifests.md.'];
  return { code, message, remedy, ...said };
}
