import type { BlobId, CommitSha } from '@switchback-ml/schemas';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { extendHistory, NO_HISTORY } from './history.ts';
import type { HistoryEntry } from './repository.ts';

const RELEASE = 'environments/prod/fraud/release.yaml';
const VERSION = 'models/fraud/versions/1.0.0/version.yaml';

function id(number: number): string {
  return number.toString(16).padStart(40, '0');
}
function entry(number: number, changes: Record<string, number | null>): HistoryEntry {
  return {
    commit: id(number) as CommitSha,
    parent: number === 1 ? null : (id(number - 1) as CommitSha),
    at: number * 1000,
    author: 'Ada',
    subject: `commit ${number}`,
    body: '',
    changes: Object.entries(changes).map(([path, blob]) => ({
      path,
      blob: blob === null ? null : (id(blob) as BlobId),
      mode: '100644',
    })),
  };
}

describe('extendHistory', () => {
  it('lists the changes of a path oldest first, removals too', () => {
    const history = extendHistory(
      NO_HISTORY,
      [
        entry(1, { [RELEASE]: 11 }),
        entry(2, { [RELEASE]: 12, 'README.md': 1 }),
        entry(3, { [RELEASE]: null }),
      ],
      new Map(),
    );

    expect(history.paths.get(RELEASE)?.map(({ commit, blob, alone }) => [commit, blob, alone])).toEqual([
      [id(1), id(11), true],
      [id(2), id(12), false],
      [id(3), null, true],
    ]);
    expect(history.paths.has('README.md')).toBe(false);
  });

  it('ranks a version by the commit that introduced it, also when it went and came again', () => {
    const other = VERSION.replace('1.0.0', '2.0.0');
    const entries = [
      entry(1, { [VERSION]: 1 }),
      entry(2, { [VERSION]: null, [other]: 2 }),
      entry(3, { [VERSION]: 1 }),
    ];

    const { order } = extendHistory(NO_HISTORY, entries, new Map());
    expect([order.get(VERSION), order.get(other)]).toEqual([0, 1]);
  });

  it('gives the same in any number of steps, and leaves what it was given as it was', () => {
    const change = fc.dictionary(
      fc.constantFrom(RELEASE, VERSION, 'models/fraud/serving.yaml', 'x'),
      fc.option(fc.integer({ min: 1, max: 9 })),
    );
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), fc.nat(12), (changes, cut) => {
        const entries = changes.map((part, index) => entry(index + 1, part));
        const first = extendHistory(NO_HISTORY, entries.slice(0, cut), new Map());
        const before = structuredClone(first);

        expect(extendHistory(first, entries.slice(cut), new Map())).toEqual(
          extendHistory(NO_HISTORY, entries, new Map()),
        );
        expect(first).toEqual(before);
      }),
    );
  });
});
