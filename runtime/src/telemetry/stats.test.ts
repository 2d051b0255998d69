import fc from 'fast-check';
import { expect, test } from 'vitest';
import { steppedClock } from '../clock.fixture.ts';
import { backend, served } from './served.fixture.ts';
import { statsSource } from './stats.ts';
import { Tallies } from './tallies.ts';

async function make() {
  const clock = steppedClock();
  await clock.advance(5000);
  const tallies = new Tallies({ clock, most: 10, isModel: () => true });
  return { tallies, ...statsSource(tallies) };
}

const ms = (count: number, each: number) => ({ count, ns: Math.round(count * each * 1e6) });

test('statistics tell answers, failures and cache apart', async () => {
  const { tallies, stats } = await make();
  const cached = backend('1', { cache: { forMs: 1000, bytes: 1000 } });
  tallies.served(served({ backend: cached }));
  tallies.served(served({ backend: cached }));
  tallies.served(
    served({
      backend: cached,
      from: 'memory',
      batchRows: 0,
      totalMs: 0.1,
      stages: { parseMs: 0, queueMs: 0, batchMs: 0, runMs: 0, encodeMs: 0 },
    }),
  );
  tallies.served(served({ backend: cached, code: 'E_ENGINE_DIED', totalMs: 7 }));

  expect(stats('fraud', '1')).toEqual({
    name: 'fraud',
    version: '1',
    last_inference: 5000,
    inference_count: 2,
    execution_count: 2,
    inference_stats: {
      success: { count: 3, ns: 6_100_000 },
      fail: ms(1, 7),
      queue: ms(2, 0.5 + 0.4),
      compute_input: ms(2, 0.02),
      compute_infer: ms(2, 2),
      compute_output: ms(2, 0.01),
      cache_hit: ms(1, 0.1),
      cache_miss: ms(2, 3),
    },
    batch_stats: [
      { batch_size: 1, compute_input: ms(2, 0.02), compute_infer: ms(2, 2), compute_output: ms(2, 0.01) },
    ],
  });
});

test('a version that was not met yet has zeros', async () => {
  const { stats } = await make();

  const { last_inference, execution_count, batch_stats, inference_stats } = stats('fraud', '9');

  expect({ last_inference, execution_count, batch_stats }).toEqual({
    last_inference: 0,
    execution_count: 0,
    batch_stats: [],
  });
  expect(Object.values(inference_stats)).toEqual(Array(8).fill({ count: 0, ns: 0 }));
});

test('requests that shared batches add up to the batches, and what each took counts once', async () => {
  const batch = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 20 }), async batches => {
      const { tallies, stats } = await make();

      for (const requests of batches) {
        const batchRows = requests.reduce((sum, rows) => sum + rows, 0);
        for (const rows of requests) tallies.served(served({ rows, batchRows }));
      }

      const { execution_count, inference_count, batch_stats } = stats('fraud', '1');
      const sizes = batches.map(requests => requests.reduce((sum, rows) => sum + rows, 0));
      expect(execution_count).toBe(batches.length);
      expect(inference_count).toBe(sizes.reduce((sum, rows) => sum + rows, 0));
      for (const { batch_size, compute_infer } of batch_stats) {
        const count = sizes.filter(size => size === batch_size).length;
        expect(compute_infer.count).toBe(count);
        expect(compute_infer.ns / 2e6).toBeCloseTo(count, 3);
      }
      expect(batch_stats.map(({ batch_size }) => batch_size)).toEqual(
        [...new Set(sizes)].toSorted((a, b) => a - b),
      );
    }),
  );
});

test('a batch beyond any size counts as the largest', async () => {
  const { tallies, stats } = await make();

  tallies.served(served({ rows: 5000, batchRows: 5000 }));
  tallies.served(served({ rows: 1024, batchRows: 1024 }));

  expect(stats('fraud', '1').batch_stats).toMatchObject([{ batch_size: 1024, compute_infer: { count: 2 } }]);
});
