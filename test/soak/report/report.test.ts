import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { judgeSoak } from '../judge/verdict.ts';
import { cellOf, goodSoak, MINUTE } from '../seen.fixture.ts';
import { reportHtml } from './html.ts';
import { answeredBy, stretches } from './numbers.ts';
import { niceStep, plotHtml } from './plot.ts';
import { writeReport } from './write.ts';

test('a page says the verdict first, then what was violated, and shows every diagram', () => {
  const seen = goodSoak({ unsettled: ['prod/<wine> & co'] });

  const page = reportHtml(seen, judgeSoak(seen));

  expect(page.indexOf('Not as promised')).toBeLessThan(page.indexOf('Violations'));
  expect(page).toContain('not settled at the end: prod/&lt;wine&gt; &amp; co');
  expect(page.match(/<svg /g)).toHaveLength(7);
  expect(page).not.toMatch(/NaN|undefined|Infinity|\[object/);
});

test('a page of nothing at all is a page', () => {
  const seen = goodSoak({
    requests: 0,
    cells: [],
    deeds: [],
    processes: [],
    growth: [],
    endedAt: goodSoak().startedAt,
  });

  expect(reportHtml(seen, judgeSoak(seen))).not.toMatch(/NaN|undefined|Infinity/);
});

test('a page loads nothing', () => {
  const seen = goodSoak();

  expect(reportHtml(seen, judgeSoak(seen)).replaceAll('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(
    /https?:|<script|<link|url\(/,
  );
});

test('figures beside the page can be read back', async () => {
  const out = await mkdtemp(join(tmpdir(), 'switchback-soak-report-'));
  onTestFinished(() => rm(out, { recursive: true }));
  const seen = goodSoak();

  const { figures, page } = await writeReport(join(out, 'new'), seen, judgeSoak(seen));

  expect(JSON.parse(await readFile(figures, 'utf8'))).toMatchObject({
    isOk: true,
    requests: 135_000,
    failures: { 'good version': 0 },
    badVersions: ['wine 2.1.0'],
    cells: expect.arrayContaining([
      expect.objectContaining({ byStatus: { 200: 1500 }, p50Ms: 3, p99Ms: 40 }),
    ]),
  });
  expect(await readFile(page, 'utf8')).toContain('As promised');
});

test('a diagram breaks its line where there is no value, and keeps within its frame', () => {
  const html = plotHtml({
    title: 'Latency <p99>',
    unit: 'ms',
    minutes: 2,
    lines: [
      {
        name: 'prod',
        colour: '#009e73',
        points: [
          [0, 0],
          [0.5, 10],
          [1, null],
          [1.5, 20],
          [2, 37],
        ],
      },
    ],
    marks: [{ atMinute: 1, label: '1', words: 'wine "2.0.0" is pushed', kind: 'change' }],
  });

  const path = /<path d="(M[^"]+)" fill="none"/.exec(html)?.[1] ?? '';
  expect(path.match(/[ML]/g)?.join('')).toBe('MLML');
  const numbers = [...path.matchAll(/([\d.]+) ([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)] as const);
  expect(numbers.every(([x, y]) => x >= 66 && x <= 948 && y >= 26 && y <= 206)).toBe(true);
  expect(html).toContain('Latency &lt;p99&gt;');
  expect(html).toContain('wine &quot;2.0.0&quot; is pushed');
});

test('axes step by 1, 2 or 5', () => {
  expect([0.3, 1, 1.1, 4, 9, 70].map(niceStep)).toEqual([0.5, 1, 2, 5, 10, 100]);
});

test('a course leaves out the stretch that was cut short, and tells of one in which nobody answered', () => {
  const cells = [cellOf('prod', 0), cellOf('prod', 2 * MINUTE), cellOf('dev', MINUTE)];

  const course = stretches(cells, 'prod', MINUTE, 2.5 * MINUTE);

  expect(course).toEqual([
    { atMinute: 0.5, perSecond: 25, p50Ms: 3, p99Ms: 40 },
    { atMinute: 1.5, perSecond: 0, p50Ms: null, p99Ms: null },
  ]);
});

test('answers are summed by environment', () => {
  const failed = {
    ...cellOf('prod', MINUTE),
    version: null,
    answers: 4,
    byStatus: new Map([[0, 4]]),
    latencies: new Map(),
  };

  expect(answeredBy([cellOf('prod', 0), failed])).toEqual([
    {
      environment: 'prod',
      answers: 1504,
      notOk: 4,
      nulls: 0,
      versions: 1,
      p50Ms: 3,
      p99Ms: 40,
      longestMs: 40,
    },
  ]);
});
