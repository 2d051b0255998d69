import { type Profiler, Session } from 'node:inspector';

/**
 * What V8 itself knows of which parts of our sources ran; no source is rewritten for it. Asking costs milliseconds,
 * so it pays to let many inputs run between.
 */
export class Coverage implements Disposable {
  readonly #session = new Session();
  /** By script: 1 for each character that has run. */
  readonly #covered = new Map<string, Uint8Array>();
  readonly #within: RegExp;

  /** @param within urls of the scripts that count */
  constructor(within: RegExp) {
    this.#within = within;
    this.#session.connect();
    this.#post('Profiler.enable');
    this.#post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Characters of source that have run, as far as they were counted. */
  get size(): number {
    return [...this.#covered.values()].reduce((sum, covered) => sum + covered.reduce((a, b) => a + b, 0), 0);
  }

  /** Whether something ran since the last look that is not counted yet; `count` counts it. */
  look(count: 'count' | 'leave'): boolean {
    const { result } = this.#post('Profiler.takePreciseCoverage') as Profiler.TakePreciseCoverageReturnType;
    let isNew = false;
    for (const { scriptId, url, functions } of result) {
      if (!this.#within.test(url)) continue;
      for (const { ranges } of functions) {
        const covered = this.#charactersOf(scriptId, ranges[0]?.endOffset ?? 0);
        if (paint(covered, ranges, count)) isNew = true;
      }
    }
    return isNew;
  }

  [Symbol.dispose](): void {
    this.#session.disconnect();
  }

  #charactersOf(script: string, length: number): Uint8Array {
    const known = this.#covered.get(script);
    if (known !== undefined && known.length >= length) return known;
    const longer = new Uint8Array(length);
    longer.set(known ?? []);
    this.#covered.set(script, longer);
    return longer;
  }

  #post(method: string, parameters: object = {}): unknown {
    let answer: unknown;
    // Within one thread the inspector answers before it returns.
    this.#session.post(method, parameters, (error: Error | null, result: unknown) => {
      if (error) throw error;
      answer = result;
    });
    return answer;
  }
}

/** Ranges nest, outer ones first, and an inner one is told only where it ran less often or more than its outer one. */
function paint(
  covered: Uint8Array,
  ranges: readonly Profiler.CoverageRange[],
  count: 'count' | 'leave',
): boolean {
  const [whole] = ranges;
  if (whole === undefined) return false;
  const ran = new Uint8Array(whole.endOffset - whole.startOffset);
  for (const range of ranges)
    ran.fill(
      range.count > 0 ? 1 : 0,
      range.startOffset - whole.startOffset,
      range.endOffset - whole.startOffset,
    );
  let isNew = false;
  for (let at = 0; at < ran.length; at++) {
    if (ran[at] === 0 || covered[whole.startOffset + at] === 1) continue;
    isNew = true;
    if (count === 'leave') return true;
    covered[whole.startOffset + at] = 1;
  }
  return isNew;
}
