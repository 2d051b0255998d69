import type { Instant } from '@switchback-ml/schemas';

/** The lines of all sources by their times; each source keeps its own order, and holds one line in memory. */
export async function* inOrderOfTime<Line extends { at: Instant }>(
  sources: readonly AsyncGenerator<Line>[],
): AsyncGenerator<Line> {
  const heads: { line: Line; source: AsyncGenerator<Line> }[] = [];
  const advance = async (source: AsyncGenerator<Line>, place: number): Promise<void> => {
    const next = await source.next();
    if (next.done) heads.splice(place, 1);
    else heads[place] = { line: next.value, source };
  };
  try {
    for (const source of sources) await advance(source, heads.length);
    while (heads.length > 0) {
      let place = 0;
      for (const [index, { line }] of heads.entries()) if (line.at < heads[place]!.line.at) place = index;
      const { line, source } = heads[place]!;
      yield line;
      await advance(source, place);
    }
  } finally {
    for (const source of sources) await source.return(undefined);
  }
}
