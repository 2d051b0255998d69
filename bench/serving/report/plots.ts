import type { Disturbed, Results } from '../results.ts';
import { barChart, lineChart } from './svg.ts';

/** SVG by name of its file, without the ending. */
export function plotsOf({ tables, swap, kill, soak }: Results): Map<string, string> {
  const plots = new Map<string, string>();
  for (const { model, encoding, subjects } of tables) {
    const bars = subjects.map(({ name, role, cells }) => {
      const value = Math.max(...cells.map(({ perSecond }) => perSecond));
      return { label: name, value, text: `${Math.round(value).toLocaleString('en')}/s`, kind: role };
    });
    const title = `${model} in ${encoding === 'json' ? 'JSON' : 'binary tensors'}: most answers a second`;
    plots.set(`${model}-${encoding}`, barChart(title, bars));
  }
  if (swap !== null) plots.set('swap', timeline('p99 while versions are swapped', swap));
  if (kill !== null) plots.set('kill', timeline('p99 while engines are killed', kill));
  if (soak !== null) {
    const points = soak.samples.map(
      ({ requests, frontMiB, engineMiB }) => [requests / 1e6, frontMiB + engineMiB] as const,
    );
    plots.set(
      'soak',
      lineChart({ title: 'memory over requests', unit: 'MiB', across: 'million requests', points }),
    );
  }
  return plots;
}

function timeline(title: string, { disturbed, atMs }: Disturbed): string {
  const points = disturbed.windows.map(window => [window.atMs / 1000, window.p99Ms] as const);
  return lineChart({ title, unit: 'ms', across: 's', points, marks: atMs.map(at => at / 1000) });
}
