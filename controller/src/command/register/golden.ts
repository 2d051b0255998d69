import { GoldenAnswers, type GoldenTensor } from '@switchback-ml/schemas';
import { SwitchbackError } from '../../error.ts';
import type { Samples } from './samples.ts';
import type { GraphAnswer } from './trial.ts';

/** The least for halves, as the runtime has it when it loads the version: both sides are rounded by up to 2^-11. */
const FP16_TOLERANCE = 1e-3;

type Graph = Readonly<Record<string, GraphAnswer>>;
type Element = number | string | boolean | null;

/**
 * The golden answers of a version: the framework's own where the samples hold them and the graph agrees within the
 * tolerance, else the graph's, and marked so. Throws E_MODEL_GOLDEN naming the first row that differs,
 * counted from 0 like the values within it.
 */
export function makeGolden(samples: Samples, graph: Graph, tolerance: number): GoldenAnswers {
  const isFramework = Object.keys(samples.answers).length > 0;
  if (isFramework) compareAnswers(samples.answers, graph, tolerance);
  return GoldenAnswers.parse({
    answers: isFramework ? 'framework' : 'graph',
    inputs: samples.inputs,
    outputs: isFramework ? samples.answers : recorded(graph),
  });
}

/** `|got - want| <= tolerance * max(1, |want|)`, as the runtime will compare them; else equal. */
export function isNear(got: Element | undefined, want: Element, tolerance: number): boolean {
  if (typeof got !== 'number' || typeof want !== 'number') return got !== null && got === want;
  return Math.abs(got - want) <= tolerance * Math.max(1, Math.abs(want));
}

function compareAnswers(answers: Samples['answers'], graph: Graph, tolerance: number): void {
  for (const [output, want] of Object.entries(answers)) {
    const got = graph[output];
    if (got?.data.length !== want.data.length) {
      const found = got === undefined ? 'no such output' : `${got.data.length} values`;
      throw differs(`"${output}" should have ${want.data.length} values; the graph gave ${found}`);
    }
    const allowed = want.datatype === 'FP16' ? Math.max(tolerance, FP16_TOLERANCE) : tolerance;
    const wrong = [...want.data.keys()].filter(index => !isNear(got.data[index], want.data[index]!, allowed));
    const [first] = wrong;
    if (first !== undefined) throw differs(sentence(output, want, got, wrong, allowed));
  }
}

function sentence(
  output: string,
  want: GoldenTensor,
  got: GraphAnswer,
  wrong: readonly number[],
  tolerance: number,
): string {
  const rows = want.shape[0] ?? 1;
  const width = want.data.length / rows;
  const rowOf = (index: number): number => Math.floor(index / width);
  const [first = 0] = wrong;
  const name = width === 1 ? output : `${output}.${first % width}`;
  const count = new Set(wrong.map(rowOf)).size;
  return (
    `row ${rowOf(first)} (counted from 0): ${name} is ${got.data[first] ?? 'not finite'}, the framework says ${want.data[first]} ` +
    `(tolerance ${tolerance}); ${count} of ${rows} rows differ`
  );
}

function differs(what: string): SwitchbackError {
  return new SwitchbackError(
    'E_MODEL_GOLDEN',
    `The graph does not answer as the framework did, ${what}. Check the export (are the rows of the same type and ` +
      'order?), or allow more by --tolerance if the difference is only rounding.',
  );
}

function recorded(graph: Graph): Record<string, GoldenTensor> {
  const entries = Object.entries(graph).map(([output, { datatype, shape, data }]) => {
    const bad = data.indexOf(null);
    if (bad < 0) return [output, { datatype, shape, data: data.filter(value => value !== null) }] as const;
    const row = Math.floor(bad / (data.length / (shape[0] ?? 1)));
    throw new SwitchbackError(
      'E_MODEL_GOLDEN',
      `The graph answers row ${row} (counted from 0) with a "${output}" that is not finite; mend the model or leave the row out.`,
    );
  });
  return Object.fromEntries(entries);
}
