export interface Line {
  name: string;
  colour: string;
  /** Minutes from the start, and a value. Null breaks the line. */
  points: readonly (readonly [number, number | null])[];
}

/** Something that happened at one time. */
export interface Mark {
  atMinute: number;
  /** A letter or number above the line; the words show when somebody points at it. */
  label: string;
  words: string;
  kind: 'change' | 'fault';
}

export interface Plot {
  title: string;
  /** Of the values, after each of them. */
  unit: string;
  minutes: number;
  lines: readonly Line[];
  marks?: readonly Mark[];
}

const WIDTH = 960;
const HEIGHT = 230;
const LEFT = 66;
const RIGHT = 12;
const TOP = 26;
const BOTTOM = 24;
const TICKS = 4;

/** One diagram with its legend, as HTML that needs nothing else. */
export function plotHtml(plot: Plot): string {
  const top = niceCeiling(Math.max(0, ...plot.lines.flatMap(({ points }) => points.map(([, y]) => y ?? 0))));
  const x = (minute: number): number =>
    LEFT + (minute / Math.max(plot.minutes, 1e-9)) * (WIDTH - LEFT - RIGHT);
  const y = (value: number): number => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM);
  const inside = [
    ...gridOf(plot, top, x, y),
    ...(plot.marks ?? []).map(mark => markSvg(mark, x(mark.atMinute))),
    ...plot.lines.map(line => lineSvg(line, x, y)),
  ];
  const legend = new Map(plot.lines.map(({ name, colour }) => [name, colour]));
  const keys = [...legend].map(
    ([name, colour]) => `<span><i style="background:${markupText(colour)}"></i>${markupText(name)}</span>`,
  );
  return `<figure><figcaption>${markupText(plot.title)}</figcaption><p class="legend">${keys.join('')}</p>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${markupText(plot.title)}" font-family="sans-serif" font-size="11">
${inside.join('\n')}
</svg></figure>`;
}

function gridOf(
  { unit, minutes }: Plot,
  top: number,
  x: (minute: number) => number,
  y: (value: number) => number,
): string[] {
  const rows = Array.from({ length: TICKS + 1 }, (_, index) => {
    const value = (top * index) / TICKS;
    const at = y(value).toFixed(1);
    return `<path d="M${LEFT} ${at}H${WIDTH - RIGHT}" stroke="#8884"/><text x="${LEFT - 6}" y="${at}" dy="4" text-anchor="end" fill="currentColor">${markupText(tickText(value))} ${markupText(unit)}</text>`;
  });
  const stepMinutes = niceStep(minutes / 8);
  const columns = Array.from({ length: Math.floor(minutes / stepMinutes + 1e-9) + 1 }, (_, index) => {
    const at = x(index * stepMinutes).toFixed(1);
    return `<text x="${at}" y="${HEIGHT - 7}" text-anchor="middle" fill="currentColor">${markupText(tickText(index * stepMinutes))} min</text>`;
  });
  return [...rows, ...columns];
}

function markSvg({ label, words, kind }: Mark, at: number): string {
  const [stroke, dash] = kind === 'fault' ? ['#d55e00', '2 3'] : ['#888', '5 3'];
  return `<g><title>${markupText(words)}</title><path d="M${at.toFixed(1)} ${TOP}V${HEIGHT - BOTTOM}" stroke="${stroke}" stroke-dasharray="${dash}"/><text x="${at.toFixed(1)}" y="${kind === 'fault' ? 10 : 21}" text-anchor="middle" font-size="9" fill="${stroke}">${markupText(label)}</text></g>`;
}

function lineSvg(
  { name, colour, points }: Line,
  x: (minute: number) => number,
  y: (value: number) => number,
): string {
  let path = '';
  let isDrawing = false;
  for (const [minute, value] of points) {
    if (value !== null) path += `${isDrawing ? 'L' : 'M'}${x(minute).toFixed(1)} ${y(value).toFixed(1)}`;
    isDrawing = value !== null;
  }
  return `<path d="${path}" fill="none" stroke="${markupText(colour)}" stroke-width="1.4" stroke-linejoin="round" stroke-linecap="round"><title>${markupText(name)}</title></path>`;
}

/** 1, 2 or 5 times a power of ten, at least as much. */
export function niceStep(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 5].find(factor => factor * power >= value * (1 - 1e-9)) ?? 10);
}

/** Where an axis with four steps ends. */
function niceCeiling(value: number): number {
  return niceStep(value / TICKS) * TICKS;
}

function tickText(value: number): string {
  return String(Number(value.toPrecision(3)));
}

export function markupText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
