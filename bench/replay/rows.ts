import { readFileSync } from 'node:fs';

/** Recorded rows from a CSV with a header line: plain numbers, so that no parser of quoting is needed. */
export function readRows(file: string): number[][] {
  const [, ...lines] = readFileSync(file, 'utf8').trim().split('\n');
  return lines.map((line, index) => {
    const row = line.split(',').map(Number);
    if (row.some(value => !Number.isFinite(value)))
      throw new Error(`${file}:${index + 2} holds something that is no number`);
    return row;
  });
}
