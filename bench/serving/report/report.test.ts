import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { headlineOf } from '../headline.ts';
import { plotsOf } from './plots.ts';
import { printPage, printResults } from './print.ts';
import { someResults } from './results.fixture.ts';
import { sectionsOf } from './sections.ts';
import { lineChart } from './svg.ts';
import { writeReport } from './write.ts';

/** What is amiss with an XML text, as far as elements and entities go; null where nothing is. */
function xmlTrouble(text: string): string | null {
  const stack: string[] = [];
  const outside = text.replace(
    /<(\/?)([a-z]+)((?: [a-z-]+(?::[a-z]+)?="[^"<]*")*)(\/?)>/gi,
    (_, close, name, _attributes, self) => {
      if (close === '/') {
        if (stack.pop() !== name) stack.push(`misplaced </${name}>`);
      } else if (self !== '/') stack.push(name);
      return '';
    },
  );
  if (stack.length > 0) return `left open: ${stack.join(', ')}`;
  if (/[<>]/.test(outside.replaceAll(/&(lt|gt|amp|quot);/g, ''))) return 'a bare angle bracket';
  return /&(?!(lt|gt|amp|quot);)/.test(text) ? 'a bare ampersand' : null;
}

describe('the check of XML that these tests use', () => {
  test.each(['<a><b></a></b>', '<a>', '<a>1 < 2</a>', '<a b=c/>', '<a>R&D</a>'])('refuses %s', text => {
    expect(xmlTrouble(text)).not.toBeNull();
  });
});

test('availability is told as a share, and beside what a day at 99.9 % allows', () => {
  const section = sectionsOf(someResults()).find(({ title }) => title === 'Availability');

  expect(section?.words).toContain('10.0 minutes');
  expect(section?.words).toContain('3 × version swapped, 3 × engine killed');
  expect(section?.grid[1]?.slice(-2)).toEqual(['99.9500 %', '0.50']);
});

test('a push is told stage by stage, with what a missed nudge adds', () => {
  const section = sectionsOf(someResults()).find(({ title }) => title === 'Push to first answer');

  expect(section?.grid[1]).toEqual(['median', '150 ms', '156 ms', '180 ms', '285 ms', '300 ms']);
  expect(section?.grid[4]).toEqual([
    'this step alone (median)',
    '150 ms',
    '6.00 ms',
    '24 ms',
    '105 ms',
    '15 ms',
  ]);
  expect(section?.notes).toEqual([
    'Pushed 3 times: the new version answered 300 ms after the nudge (median), 1,200 ms (95 %).',
    'The push itself took 60 ms before that (median).',
    'Without a nudge the controller looks every 1 s unless it is told otherwise: that adds half of it on average.',
    'Meanwhile 900 requests were asked; 2 failed.',
  ]);
});

test('the targets come first, and are left out where none of them was measured', () => {
  const [first] = sectionsOf(someResults());
  const soakAlone = { ...someResults(), tables: [], raw: [], swap: null, kill: null, push: null };

  expect(first?.title).toBe('Beside the targets');
  expect(sectionsOf(soakAlone).map(({ title }) => title)).not.toContain('Beside the targets');
});

describe('plots', () => {
  test('are well-formed, whatever the names in them', () => {
    const plots = plotsOf(someResults());

    expect([...plots.keys()]).toEqual(['iris-json', 'swap', 'kill', 'soak']);
    for (const svg of plots.values()) expect(xmlTrouble(svg)).toBeNull();
    expect(plots.get('iris-json')).toContain('&lt;peer&gt; &amp; &quot;co&quot;');
  });

  test('leave out of a line what is not known', () => {
    const svg = lineChart({
      title: 't',
      unit: 'ms',
      across: 's',
      points: [
        [0, 1],
        [1, Number.NaN],
        [2, 3],
      ],
    });

    expect(xmlTrouble(svg)).toBeNull();
    expect(svg).not.toContain('NaN');
  });
});

describe('the page', () => {
  test('has every table, with as many cells in each row as its head has', () => {
    const page = printPage(someResults());
    const rows = page.split('\n').filter(line => line.startsWith('|'));
    const widths = rows.map(row => row.replaceAll('\\|', '').split('|').length);

    expect(rows.length).toBeGreaterThan(20);
    let width = 0;
    for (const [index, row] of rows.entries()) {
      if (rows[index + 1]?.startsWith('|---')) width = widths[index]!;
      expect([row, widths[index]]).toEqual([row, width]);
    }
  });

  test('names who is absent and why, and what failed by what happened instead', () => {
    const page = printPage(someResults());

    expect(page).toContain('Not in the table: bentoml, since its packages | could not be installed.');
    expect(page).toContain('Failed, ten times: 7 × HTTP 504.');
  });

  test('is written with its plots, and those of an earlier run are gone', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'switchback-report-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await writeReport(folder, someResults());
    await writeFile(join(folder, 'benchmarks', 'former.svg'), '');

    const page = await writeReport(folder, someResults());

    const linked = [...(await readFile(page, 'utf8')).matchAll(/\]\((benchmarks\/[^)]+)\)/g)].map(
      ([, file]) => file,
    );
    const written = (await readdir(join(folder, 'benchmarks'))).map(name => `benchmarks/${name}`);
    expect(linked.toSorted()).toEqual(written.toSorted());
  });
});

test('a terminal gets the same tables in columns', () => {
  const lines = printResults(someResults()).split('\n');
  const head = lines.findIndex(line => line.startsWith('subject'));

  expect(lines[head]).toContain('ours ÷ it @32');
  expect(lines[head + 1]?.length).toBe(lines[head]?.length);
  expect(lines[head + 2]).toMatch(/^fastify +0\.80 +0\.80 +0\.90 /);
});

describe('the headline', () => {
  test('is made of ratios within the same rounds', () => {
    expect(headlineOf(someResults())).toEqual({
      echoRatio: 0.8,
      echoRatios: { '1': 0.8, '32': 0.8, '128': 0.9 },
      echoP95Ms: 1,
      rawRatioCompute: 0.96,
      swapFailed: 0,
      swaps: 100,
      swapP99Ratio: 1.05,
      killFailed: 3,
      kills: 20,
      killP99Ratio: 1.5,
      pushMs: 300,
      pushP95Ms: 1200,
      pushFailed: 2,
      pushes: 3,
      neighboursP50Ratio: 1.5,
      overloadP99Ratio: 4,
      overloadFailed: 7,
    });
  });

  test('says null of what was not measured', () => {
    const nothing = {
      ...someResults(),
      tables: [],
      raw: [],
      swap: null,
      kill: null,
      push: null,
      neighbours: null,
      overload: null,
    };

    const headline = headlineOf(nothing);

    expect(headline.echoRatios).toEqual({});
    expect(Object.values(headline).filter(value => value !== null)).toHaveLength(1);
  });
});
