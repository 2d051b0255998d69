const WIDTH = 720;
const ROW = 22;
const LABEL = 190;
const VALUE = 90;
const HEIGHT = 220;
const LEFT = 60;
const MARGIN = 26;
const TICKS = 4;

/** Readable on white and on black paper, since an image does not inherit the colours of its page. */
const STYLE = `<style>
text { font: 12px sans-serif; fill: #222 } .title { font-weight: bold } .dim { fill: #666 } .grid { stroke: #ccc } .mark { stroke: #c60 }
.ours { fill: #2563eb } .bare { fill: #94a3b8 } .peer { fill: #d97706 } .line { fill: none; stroke: #2563eb; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) { text { fill: #eee } .dim { fill: #aaa } .grid { stroke: #444 } .ours { fill: #60a5fa } .line { stroke: #60a5fa } }
</style>`;

export interface Bar {
  label: string;
  value: number;
  /** As it is printed. */
  text: string;
  kind: 'ours' | 'bare' | 'peer';
}

/** One bar a row, longest is fullest. */
export function barChart(title: string, bars: readonly Bar[]): string {
  const most = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE);
  const rows = bars.map(({ label, value, text, kind }, index) => {
    const y = MARGIN + 10 + index * ROW;
    const width = Math.max(1, (value / most) * (WIDTH - LABEL - VALUE));
    const middle = y + ROW / 2;
    return `<text x="${LABEL - 8}" y="${middle}" dy="4" text-anchor="end">${escaped(label)}</text><rect class="${kind}" x="${LABEL}" y="${y + 3}" width="${width.toFixed(1)}" height="${ROW - 6}" rx="2"/><text x="${(LABEL + width + 6).toFixed(1)}" y="${middle}" dy="4">${escaped(text)}</text>`;
  });
  return drawing(title, MARGIN + 20 + bars.length * ROW, rows);
}

export interface LineChart {
  title: string;
  /** Of the values. */
  unit: string;
  /** Of the horizontal axis. */
  across: string;
  points: readonly (readonly [number, number])[];
  /** Where on the horizontal axis something happened. */
  marks?: readonly number[];
}

/** One line over something that grows; marks are thin lines from top to bottom. */
export function lineChart({ title, unit, across, points, marks = [] }: LineChart): string {
  const drawn = points.filter(([, value]) => Number.isFinite(value));
  const right = Math.max(...drawn.map(([at]) => at), ...marks, Number.MIN_VALUE);
  const top = niceCeiling(Math.max(...drawn.map(([, value]) => value), Number.MIN_VALUE));
  const x = (at: number): string => (LEFT + (at / right) * (WIDTH - LEFT - 12)).toFixed(1);
  const y = (value: number): string =>
    (HEIGHT - MARGIN - (value / top) * (HEIGHT - 2 * MARGIN - 8)).toFixed(1);
  const grid = Array.from({ length: TICKS + 1 }, (_, index) => {
    const value = (top * index) / TICKS;
    return `<path class="grid" d="M${LEFT} ${y(value)}H${WIDTH - 12}"/><text class="dim" x="${LEFT - 6}" y="${y(value)}" dy="4" text-anchor="end">${short(value)} ${escaped(unit)}</text>`;
  });
  const lines = marks.map(at => `<path class="mark" d="M${x(at)} ${HEIGHT - MARGIN}v-8"/>`);
  const path = drawn.map(([at, value], index) => `${index === 0 ? 'M' : 'L'}${x(at)} ${y(value)}`).join('');
  const axis = `<text class="dim" x="${WIDTH - 12}" y="${HEIGHT - 8}" text-anchor="end">${short(right)} ${escaped(across)}</text>`;
  return drawing(title, HEIGHT, [...grid, ...lines, `<path class="line" d="${path}"/>`, axis]);
}

function drawing(title: string, height: number, inside: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(title)}">
${STYLE}
<text class="title" x="0" y="16">${escaped(title)}</text>
${inside.join('\n')}
</svg>
`;
}

/** 1, 2 or 5 times a power of ten for each of the steps, at least as much. */
function niceCeiling(value: number): number {
  const step = value / TICKS;
  const power = 10 ** Math.floor(Math.log10(step));
  return TICKS * power * ([1, 2, 5].find(factor => factor * power >= step * (1 - 1e-9)) ?? 10);
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
