import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { makeJob } from '@accepted/testing/factories';
import { createTestDatabase } from '@accepted/testing/test-database';
import type { KyselyPlugin } from 'kysely';
import { expect, test } from 'vitest';
import { startDueJobs } from '../../src/services/dispatch/due-jobs.ts';

test('nobody asks for due jobs again before the next one is due', async () => {
  await using database = await createTestDatabase();
  let statements = 0;
  const counting: KyselyPlugin = {
    transformQuery({ node }) {
      statements += 1;
      return node;
    },
    transformResult: ({ result }) => Promise.resolve(result),
  };
  await insertJobs(database.db, [makeJob({ queue: 'soon', delayMs: 700 })]);
  const queued = Promise.withResolvers<string>();
  const dueJobs = startDueJobs({
    db: database.db.withPlugin(counting),
    queueHasWork: queued.resolve,
    onError: queued.reject,
  });
  expect(await queued.promise).toBe('soon');
  await dueJobs.stop();
  // Two a look: one at the start, one when the job is due, and a few where a clock is a little early.
  expect(statements).toBeLessThan(20);
});
