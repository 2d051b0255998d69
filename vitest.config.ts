import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{schemas,controller,runtime,demo,test,scripts}/**/*.test.ts'],
    // Tests start real processes; a generous bound catches hangs without ever deciding a result.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
});
