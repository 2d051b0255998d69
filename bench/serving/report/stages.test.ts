import { describe, expect, test } from 'vitest';
import { printPage, printResults } from './print.ts';
import { someResults } from './results.fixture.ts';
import { sectionsOf } from './sections.ts';
import { stagePlots } from './stages.ts';

const TITLE = 'iris: where the processor time of a request goes';

describe('the stages of a request', () => {
  test('are a row each, in order, with their share of their process', () => {
    const section = sectionsOf(someResults()).find(({ title }) => title === TITLE);

    expect(section?.grid).toEqual([
      ['where', 'µs a request', 'share'],
      ['front: outside JavaScript: reads, polls', '10.0', '25.0 %'],
      ['front: front/lane', '6.0', '15.0 %'],
      ['front: writing answers', '23.8', '59.5 %'],
      ['front: <a package>', '0.2', '0.5 %'],
      ['front, in all', '40.0', '100.0 %'],
      ['engine: ONNX Runtime: the graph', '10.0', '100.0 %'],
      ['engine, in all', '10.0', '100.0 %'],
    ]);
    expect(section?.words).toContain('20,000 requests');
    expect(section?.notes?.at(-1)).toContain('for the front 25.0 % of the time');
  });

  test('stand after the tables of the same model in JSON, and by themselves where there are none', () => {
    const beside = sectionsOf(someResults()).map(({ title }) => title);
    const alone = sectionsOf({ ...someResults(), tables: [] }).map(({ title }) => title);

    expect(beside[beside.indexOf(TITLE) - 1]).toBe('iris, JSON: processor time a request');
    for (const titles of [beside, alone]) expect(titles.filter(title => title === TITLE)).toHaveLength(1);
  });

  test('are drawn but for the smallest', () => {
    const svg = stagePlots(someResults()).get('iris-stages');

    expect(svg).toMatch(/class="bare".*>10\.0</);
    expect(svg).toContain('>ONNX Runtime: the graph<');
    expect(svg).toContain('writing answers');
    expect(svg).not.toContain('a package');
    expect(printPage(someResults())).toContain(`![${TITLE}](benchmarks/iris-stages.svg)`);
  });

  test('are one line at the end for a terminal, largest first, and none where they were not measured', () => {
    const { stages } = someResults();

    expect(printResults(someResults()).trimEnd()).toMatch(
      /\nA request of iris takes the front 40\.0 µs: writing answers 59\.5 %; outside JavaScript: reads, polls 25\.0 %; front\/lane 15\.0 %; <a package> 0\.5 %\.$/,
    );
    const other = stages.map(one => ({ ...one, model: 'wide-cnn' }));
    expect(printResults({ ...someResults(), stages: other })).not.toContain('takes the front');
  });
});
