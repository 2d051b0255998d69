import { plain } from '@switchback-ml/schemas';

/** Columns as wide as their widest cell; the last one is not padded. A cell is one line, whatever stands in it. */
export function table(rows: readonly (readonly string[])[], indent = ''): string {
  const widths: number[] = [];
  const cells = rows.map(row => row.map(plain));
  for (const row of cells)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  return cells
    .map(row =>
      `${indent}${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd(),
    )
    .join('\n');
}
