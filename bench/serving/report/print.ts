import type { Results } from '../results.ts';
import { type Section, sectionsOf } from './sections.ts';
import { stagesLine } from './stages.ts';
import { type Grid, machineWords } from './tables.ts';

/** For a terminal. */
export function printResults(results: Results): string {
  const sections = sectionsOf(results).map(({ title, grid, notes }) =>
    [title, aligned(grid), ...(notes ?? [])].join('\n'),
  );
  return `${[machineWords(results.machine), ...sections, ...stagesLine(results)].join('\n\n')}\n`;
}

/** The page of the documents; its plots stand in `benchmarks/` beside it. */
export function printPage(results: Results): string {
  const head = `# Benchmarks

Made by \`npm run bench\`, and not by hand. Ratios first: figures by themselves belong to this machine.

${machineWords(results.machine)}

The load comes from the same machine, so that every subject shares its cores with
whoever asks it. Each gets one thread in ONNX Runtime and no spinning; answers were compared with those of ONNX Runtime
before anything was measured.
`;
  return `${[head, ...sectionsOf(results).map(sectionPage)].join('\n')}`;
}

function sectionPage({ title, words, grid, notes = [], plot }: Section): string {
  const image = plot === undefined ? '' : `\n![${title}](benchmarks/${plot}.svg)\n`;
  const list = notes.length === 0 ? '' : `\n${notes.map(note => `- ${note}`).join('\n')}\n`;
  return `## ${title}\n\n${words}\n\n${markdown(grid)}\n${list}${image}`;
}

function markdown([heads = [], ...rows]: Grid): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const rule = `|${heads.map((_, index) => (index === 0 ? '---' : '---:')).join('|')}|`;
  return [line(heads), rule, ...rows.map(line)].join('\n');
}

function aligned(grid: Grid): string {
  const widths = (grid[0] ?? []).map((_, column) => Math.max(...grid.map(row => row[column]?.length ?? 0)));
  return grid
    .map(row =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  '),
    )
    .join('\n');
}
