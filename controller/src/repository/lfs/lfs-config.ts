import type { Problem } from '@switchback-ml/schemas';

export const LFS_CONFIG_PATH = '.lfsconfig';
/** They change what a clone holds, not where anything goes. */
const HARMLESS = new Set([
  'lfs.fetchexclude',
  'lfs.fetchinclude',
  'lfs.allowincompletepush',
  'lfs.skipdownloaderrors',
  'lfs.locksverify',
]);
const MOST_PROBLEMS = 20;

const SECTION = /^\s*\[\s*([-.a-z0-9]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\](.*)$/i;
const SETTING = /^\s*([a-z][-a-z0-9]*)\s*(?:=\s*(.*?)\s*)?$/i;

/**
 * What `.lfsconfig` says that the controller does not obey: who may push to the repository must not decide where
 * weights come from, nor who is shown credentials. An `lfs.url` that is `endpoint` itself is nothing new.
 */
export function lfsConfigProblems(text: string, endpoint: string | null = null): Problem[] {
  const problems: Problem[] = [];
  for (const { line, key, value } of settingsIn(text)) {
    const isOurs = key === 'lfs.url' && endpoint !== null && trimmed(value) === trimmed(endpoint);
    if (HARMLESS.has(key) || isOurs) continue;
    if (problems.length < MOST_PROBLEMS) problems.push(ignored(line, key));
  }
  return problems;
}

interface Setting {
  line: number;
  /** As git writes it: `lfs.url`, `remote.origin.lfsurl`. */
  key: string;
  value: string;
}

function* settingsIn(text: string): Generator<Setting> {
  let section = '';
  for (const [index, whole] of text.split(/\r\n|\r|\n/).entries()) {
    const [, name, subsection, after] = SECTION.exec(whole) ?? [];
    if (name !== undefined)
      section = `${name.toLowerCase()}.${subsection === undefined ? '' : `${subsection}.`}`;
    const [, key, value = 'true'] = SETTING.exec(uncommented(after ?? whole)) ?? [];
    if (key !== undefined)
      yield { line: index + 1, key: section + key.toLowerCase(), value: unquoted(value) };
  }
}

function uncommented(line: string): string {
  return /^(?:[^"#;]|"(?:[^"\\]|\\.)*")*/.exec(line)?.[0] ?? '';
}

function unquoted(value: string): string {
  return value.replaceAll(/"((?:[^"\\]|\\.)*)"/g, '$1');
}

function trimmed(url: string): string {
  return url.replace(/\/+$/, '');
}

/** The value is not repeated: it may hold a password, or be made to look like something else. */
function ignored(line: number, key: string): Problem {
  const field = key.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 100);
  return {
    code: 'W_LFS_CONFIG',
    severity: 'warning',
    path: LFS_CONFIG_PATH,
    line,
    field,
    message: `${field} is ignored: where LFS objects come from is the operator's to say, not the repository's`,
    remedy: 'Remove the line, and name the LFS server by --lfs where it is not beside the repository.',
  };
}
