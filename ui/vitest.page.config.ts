import { defineConfig } from 'vitest/config';

/** Specs that drive a real server in a browser; SPEC=screenshots takes the pictures instead. */
export default defineConfig({
  test: {
    include: [process.env.SPEC === 'screenshots' ? 'tests/screenshots.ts' : 'tests/*.spec.ts'],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
