import { describe, expect, it } from 'vitest';
import { objectOf } from './artifact.contract.ts';
import { type TransferProgress, throttledProgress } from './transfer-progress.ts';

const { digest } = objectOf(Buffer.from('weights'));

describe('throttledProgress', () => {
  it('tells the first, the last, and what lies far enough apart, of each object by itself', () => {
    const told: number[] = [];
    let now = 0;
    const tell = throttledProgress(({ bytes }) => told.push(bytes), { now: () => now }, 100);
    const at = (ms: number, bytes: number, more: Partial<TransferProgress> = {}): void => {
      now = ms;
      tell({ operation: 'download', digest, bytes, totalBytes: 100, ...more });
    };

    at(0, 1);
    at(99, 2);
    at(99, 50, { operation: 'upload' });
    at(100, 3);
    at(150, 4);
    at(151, 100);

    expect(told).toEqual([1, 50, 3, 100]);
  });

  it('is not silenced by a clock that was set back', () => {
    const told: number[] = [];
    let now = 1e9;
    const tell = throttledProgress(({ bytes }) => told.push(bytes), { now: () => now }, 100);

    tell({ operation: 'download', digest, bytes: 1, totalBytes: 9 });
    now = 0;
    tell({ operation: 'download', digest, bytes: 2, totalBytes: 9 });

    expect(told).toEqual([1, 2]);
  });
});
