import { defineConfig } from 'vitest/config';

const WITH_SERVERS = {
  globalSetup: ['packages/testing/src/global-setup.ts'],
  testTimeout: 60_000,
  hookTimeout: 60_000,
};

/** Runs with bounds of time under load: whatever ran beside them would be measured with them. */
const MEASURING = [
  'tests/end-to-end/{attack,bench-smoke,failover,faults,fuzz,hanging-endpoints,loop-hold,loop-hold-search,overload,promise}.test.ts',
  // From when on there are flights is told by the server's oldest transaction that writes, of whatever database.
  'tests/ledger/touched-pages.integration.test.ts',
];

/**
 * `unit` tests need nothing; `integration` tests need Postgres and Redis; `end-to-end` tests start our processes, and
 * `measuring` ones do so one file at a time.
 */
export default defineConfig({
  test: {
    // Tests of timing starve when more files run at once than a small machine has cores.
    maxWorkers: 2,
    maxConcurrency: 2,
    projects: [
      {
        test: {
          name: 'unit',
          // Loads each module once, which half of the time went by with; these tests change nothing that they share.
          isolate: false,
          include: ['{apps,packages,examples,faults,attacks,fuzz,bench,scripts,tests}/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/*.integration.test.ts', 'tests/end-to-end/**'],
        },
      },
      {
        test: {
          name: 'integration',
          include: ['{apps,packages,examples,faults,attacks,fuzz,bench,tests}/**/*.integration.test.ts'],
          exclude: ['**/node_modules/**', 'tests/end-to-end/**', ...MEASURING],
          ...WITH_SERVERS,
        },
      },
      {
        test: {
          name: 'end-to-end',
          include: ['tests/end-to-end/**/*.test.ts'],
          exclude: MEASURING,
          ...WITH_SERVERS,
        },
      },
      {
        test: {
          name: 'measuring',
          include: MEASURING,
          fileParallelism: false,
          ...WITH_SERVERS,
        },
      },
    ],
  },
});
