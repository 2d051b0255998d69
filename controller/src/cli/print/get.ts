import type { Got, Setting } from '../../command/index.ts';
import { problemsText } from './status.ts';
import { table } from './table.ts';

/** The documents, each under the name of its file; YAML again, so that it can be piped on. */
export function documentsText({ documents, problems }: Got): string {
  const shown = documents.map(({ paths, text }) => {
    const head = paths.length === 0 ? ['# nobody says anything'] : paths.map(path => `# ${path}`);
    return `${head.join('\n')}\n${text.trimEnd()}\n`;
  });
  const wrong = problems.length === 0 ? '' : `${problemsText(problems).replace(/^/gm, '# ')}\n`;
  return `${shown.join('---\n')}${wrong}`;
}

/** A value a line, with the file and line that say it. */
export function settingsText({ settings, problems }: Got): string {
  const rows = settings.map(setting => [setting.name, valueText(setting), placeText(setting)]);
  const wrong = problems.length === 0 ? '' : `\n${problemsText(problems)}\n`;
  return `${table(rows)}\n${wrong}`;
}

function valueText({ value }: Setting): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function placeText({ path, line }: Setting): string {
  if (path === null) return 'default';
  return line === null ? path : `${path}:${line}`;
}
