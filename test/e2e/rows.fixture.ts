import { fileURLToPath } from 'node:url';
import { readRows } from '../../bench/replay/rows.ts';

/** Column of the mean concavity; the bad version has no answer where it is 0. */
const CONCAVITY = 6;

/** Every other row is one that the bad version fails on, so that it is surely found within its first step. */
export function troublingRows(): (readonly number[])[] {
  const rows = readRows(fileURLToPath(new URL('../../examples/rows/all.csv', import.meta.url)));
  const smooth = rows.filter(row => row[CONCAVITY] === 0);
  return rows.flatMap((row, index) => [row, smooth[index % smooth.length] ?? row]);
}
