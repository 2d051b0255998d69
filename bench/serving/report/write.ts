import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Results } from '../results.ts';
import { plotsOf } from './plots.ts';
import { printPage } from './print.ts';
import { stagePlots } from './stages.ts';

/** Writes `benchmarks.md` and its plots; those of an earlier run are gone. Resolves to the page. */
export async function writeReport(folder: string, results: Results): Promise<string> {
  const plots = join(folder, 'benchmarks');
  await rm(plots, { recursive: true, force: true });
  await mkdir(plots, { recursive: true });
  for (const [name, svg] of [...plotsOf(results), ...stagePlots(results)])
    await writeFile(join(plots, `${name}.svg`), svg);
  const page = join(folder, 'benchmarks.md');
  await writeFile(page, printPage(results));
  return page;
}
