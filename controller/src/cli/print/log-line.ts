import { plain } from '@switchback-ml/schemas';
import type { LogLine } from '../../command/index.ts';

/** When, how grave, of which process, what, and what is known of it, on one line. */
export function logLineText({ at, level, source, message, fields }: LogLine): string {
  const when = new Date(at).toISOString().slice(0, 23).replace('T', ' ');
  const said = Object.entries(fields).flatMap(([name, value]) => {
    if (value === null || value === undefined || name === 'pid' || name === 'hostname') return [];
    return [`${name}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`];
  });
  return plain([`${when}Z ${level.padEnd(5)} ${source.padEnd(10)} ${message}`, ...said].join('  '));
}
