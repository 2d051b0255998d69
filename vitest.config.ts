import { defineConfig } from 'vitest/config';

// Tests start real processes; generous bounds catch what hangs and never decide a result.
const bounds = { testTimeout: 60_000, hookTimeout: 60_000 };

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          ...bounds,
          name: 'parts',
          include: [
            '{schemas,controller,runtime,demo,bench,scripts}/**/*.test.ts',
            'test/{docs,rules,hostile,fuzz,soak,contracts,conformance}/**/*.test.ts',
          ],
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...bounds,
          name: 'e2e',
          include: ['test/{e2e,faults,clients}/**/*.test.ts'],
          // Each file starts a whole world; one after another, so that times mean something on two cores.
          maxWorkers: 1,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
