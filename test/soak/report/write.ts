import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Seen } from '../judge/figures.ts';
import type { Judgement } from '../judge/verdict.ts';
import { quantile } from '../watch/latency.ts';
import { reportHtml } from './html.ts';
import { countBy } from './numbers.ts';

/** The page for people and the figures for programs, side by side; where they are. */
export async function writeReport(
  out: string,
  seen: Seen,
  judgement: Judgement,
): Promise<{ page: string; figures: string }> {
  await mkdir(out, { recursive: true });
  const page = join(out, 'soak.html');
  const figures = join(out, 'soak.json');
  await writeFile(page, reportHtml(seen, judgement));
  await writeFile(figures, `${JSON.stringify(figuresOf(seen, judgement), null, 1)}\n`);
  return { page, figures };
}

function figuresOf(seen: Seen, judgement: Judgement): object {
  return {
    ...judgement,
    ...seen,
    failures: judgement.failures,
    failedRequests: seen.failures,
    badVersions: [...seen.badVersions],
    cells: seen.cells.map(({ byStatus, latencies, ...cell }) => ({
      ...cell,
      byStatus: Object.fromEntries(byStatus),
      p50Ms: quantile([latencies], 0.5),
      p99Ms: quantile([latencies], 0.99),
    })),
    eventCounts: Object.fromEntries(countBy(seen.events, ({ type }) => type)),
  };
}
