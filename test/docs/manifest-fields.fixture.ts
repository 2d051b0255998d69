import { Size } from '@switchback-ml/schemas';

/** One line of the tables under "All fields". */
export interface FieldRow {
  kind: string;
  /** As on the page: `lineage.datasets[].name`, `artifacts.<file>.size`. */
  field: string;
  takes: string;
  isRequired: boolean;
  /** What holds where it is not said, as YAML would have it; absent: nothing. */
  fallback?: string;
}

export function fieldRows(page: string): FieldRow[] {
  const sections = page.split(/^### (\w+) fields$/m).slice(1);
  return sections.flatMap((text, at) => {
    const kind = sections[at - 1] ?? '';
    if (at % 2 === 0) return [];
    const rows = text.split(/^#/m)[0]?.matchAll(/^\| `([^`]+)` \| (.+) \| (.+) \|$/gm) ?? [];
    return [...rows].map(([, field = '', takes = '', otherwise = '']) => {
      const fallback = /`([^`]+)`$/.exec(otherwise)?.[1];
      const isRequired = otherwise.startsWith('*required*');
      return { kind, field, takes, isRequired, ...(fallback !== undefined && { fallback }) };
    });
  });
}

/** Values just within and just beyond what a cell says. */
export interface Probes {
  within: readonly unknown[];
  beyond: readonly unknown[];
}

/** Throws for a cell that says it in words that nobody could check. */
export function probesOf(takes: string, present: unknown): Probes {
  for (const [pattern, probes] of GRAMMAR) {
    const match = pattern.exec(takes);
    if (match) return probes(match.slice(1).map(Number), match, present);
  }
  throw new Error(`No probe for what is said in the words "${takes}".`);
}

type MakeProbes = (numbers: readonly number[], match: RegExpExecArray, present: unknown) => Probes;

const is = (within: readonly unknown[], beyond: readonly unknown[]): Probes => ({ within, beyond });
const always =
  (within: readonly unknown[], beyond: readonly unknown[]): MakeProbes =>
  () =>
    is(within, beyond);
const LARGEST = Number.MAX_SAFE_INTEGER;
const hex = (digits: number): string => 'a1'.repeat(32).slice(0, digits);

/** First fit counts: the narrower phrase stands before the wider one. */
const GRAMMAR: readonly (readonly [RegExp, MakeProbes])[] = [
  [/^text$/, always(['x', 'x'.repeat(2000), 'a\nb\tc'], ['', 'x'.repeat(2001), 'a\u0007', 5])],
  [/^line$/, always(['x', 'x'.repeat(300)], ['', 'x'.repeat(301), 'a\nb', 'a\tb', 5])],
  [/^list of up to (\d+) lines$/, ([most = 0]) => is([copies('x', most)], [copies('x', most + 1), ['']])],
  [
    /^list of up to (\d+) whole numbers from (-?\d+) to (\d+)$/,
    ([most = 0, low = 0, high = 0]) =>
      is([copies(1, most), [low, high]], [copies(1, most + 1), [low - 1], [high + 1], [0.5]]),
  ],
  [
    /^list of up to (\d+) of `golden`/,
    ([most = 0]) =>
      is(
        [copies('golden', most), ['compatible-signature', 'lineage.datasets']],
        [copies('golden', most + 1), ['a b']],
      ),
  ],
  [
    /^list of up to (\d+)$/,
    ([most = 0], _, present) => is([grown(present, most)], [grown(present, most + 1)]),
  ],
  [
    /whole number from (-?\d+) to (\d+)\b/,
    ([low = 0, high = 0]) => is([low, high], [low - 1, high + 1, low + 0.5, String(low)]),
  ],
  [/^whole number from (\d+)$/, ([low = 0]) => is([low, LARGEST], [low - 1, LARGEST + 1, low + 0.5])],
  [/^number above 0, up to (\d+)$/, ([high = 0]) => is([1e-9, high], [0, high + 1e-6, String(high)])],
  [/^number from 0$/, always([0, 0.5], [-1e-9, '0'])],
  [/^number$/, always([-1.5, 0], ['1', null])],
  [/^two numbers, the lower first$/, always([[-1, 1]], [[1, -1], [1, 1], [1], [1, 2, 3]])],
  [
    /^duration up to `([^`]+)`, or `0s`$/,
    (_, [, most = '']) => is(['0s', '1ms', most], [increased(most), 5]),
  ],
  [/^duration$/, always(['1ms', '3660d'], ['0s', '3661d', '5', 5])],
  [
    /^size from `([^`]+)` to `([^`]+)`$/,
    (_, [, low = '', high = '']) => is([low, high], [String(Size.parse(low) - 1), increased(high), 5]),
  ],
  [/^size up to `([^`]+)`$/, (_, [, high = '']) => is(['1', high], ['0', increased(high), 5])],
  [/^size$/, always(['1', '2Gi'], ['0', '-1', 5])],
  [/^share above `0%` and below `100%`$/, always(['0.001%', '99.999%'], ['0%', '100%', '99', 0.99])],
  [/^share$/, always(['0%', '7.5%', '100%'], ['101%', '5', 0.05])],
  [/^rate$/, always(['2 per 1h'], ['2', '2 per 0s', 2])],
  [/^name, or a list of names$/, always(['a'.repeat(63), ['a', 'b-1']], ['a'.repeat(64), 'A', [], ['A']])],
  [/^name$/, always(['a'.repeat(63), 'a-1'], ['a'.repeat(64), 'A', 'a_b', ''])],
  [/^tensor$/, always(['x'.repeat(200), 'a/b:0'], ['x'.repeat(201), 'a b', ''])],
  [
    /^header, none that carries/,
    always(['x-a', 'x'.repeat(100)], ['Authorization', 'cookie', 'x'.repeat(101)]),
  ],
  [/^header$/, always(['x-a', 'x'.repeat(100)], ['x'.repeat(101), 'a b', ''])],
  [
    /^up to (\d+) printable characters, no blank/,
    ([most = 0]) => is(['a b', 'x'.repeat(most)], ['x'.repeat(most + 1), ' a', 'a ', '']),
  ],
  [/^label of a version/, always(['1.3.0', 'x'.repeat(64)], ['x'.repeat(65), '1..3', '-1', 1.3])],
  [/^`sha256:` and 64 hex/, always([`sha256:${hex(64)}`], [`sha256:${hex(63)}`, hex(64)])],
  [/^64 hex/, always([hex(64)], [hex(63), `sha256:${hex(64)}`])],
  [/^6 to 64 hex/, always([hex(6), hex(64)], [hex(5), `${hex(64)}a`])],
  [
    /^time$/,
    always(['2026-12-01T00:00:00Z', '2026-12-01T00:00:00+02:00'], ['2026-12-01', '2026-12-01T00:00:00']),
  ],
  [/^`host\/path`/, always(['github.com/a/b', 'https://a.example/b'], ['javascript:alert(1)', 'a b'])],
  [
    /^by file name, `model.onnx` and/,
    (_, __, present) => is([present], [without(present, 'golden.json'), without(present, 'model.onnx')]),
  ],
  [
    /^by word of up to 100 characters: a text of up to 500 characters(, a number, `true`, `false` or `null`| or a number)$/,
    (_, [, more = '']) =>
      is(
        [
          { ['x'.repeat(100)]: 'y'.repeat(500) },
          { x: 1.5 },
          ...(more.includes('null') ? [{ x: true, y: null }] : []),
        ],
        [
          { ['x'.repeat(101)]: 1 },
          { x: 'y'.repeat(501) },
          { x: [] },
          ...(more.includes('null') ? [] : [{ x: null }]),
        ],
      ),
  ],
  [/^by metric, up to 100 characters$/, (_, __, present) => keyed(present, 'x'.repeat(100), 'x'.repeat(101))],
  [
    /^by tensor: a list of numbers, texts, `true` or `false`$/,
    always([{ x: [1, 'a', true] }, {}], [{ x: 1 }, { 'a b': [1] }]),
  ],
  [/^by tensor$/, (_, __, present) => keyed(present, 'x'.repeat(200), 'a b')],
  [
    /^a Serving without `apiVersion` and `kind`$/,
    always([{ engines: 2 }], [{ kind: 'Serving' }, { engine: 2 }]),
  ],
  [/^`true` or `false`$/, always([true, false], ['true', 0])],
  [
    /^(?:with `pull-request`: )?((?:`[-\w]+`(?:, | or )?){2,})(?:; .+)?$/,
    (_, [, words = '']) =>
      is(
        [...words.matchAll(/`([^`]+)`/g)].map(([, word]) => word),
        ['other', '', null],
      ),
  ],
];

const copies = <Item>(item: Item, count: number): Item[] => Array.from({ length: count }, () => item);

/** As many as asked for, each like the first; where they have weights these rise, as they must. */
function grown(present: unknown, count: number): unknown[] {
  const [first] = present as object[];
  return copies(first, count).map((item, at) =>
    item && 'weight' in item ? { ...item, weight: at + 1 } : item,
  );
}

function without(present: unknown, key: string): object {
  return Object.fromEntries(Object.entries(present as object).filter(([name]) => name !== key));
}

function keyed(present: unknown, within: string, beyond: string): Probes {
  const [value] = Object.values(present as object);
  return is([{ [within]: value }], [{ [beyond]: value }]);
}

/** The next whole one of the unit: `64Gi` → `65Gi`, `1s` → `2s`. */
function increased(scalar: string): string {
  return scalar.replace(/\d+/, digits => String(Number(digits) + 1));
}
