import { newUuid } from '@accepted/shared/core/job/id';
import { openEngine } from '@accepted/shared/engine/open-engine';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { nameOfStatement } from '@accepted/shared/ledger/connection/statement-name';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { registerWorker } from '@accepted/shared/ledger/workers/workers';
import { makeJob } from '@accepted/testing/factories';
import { registerTestBuild, TEST_BUILD } from '@accepted/testing/test-build';
import { createTestDatabase } from '@accepted/testing/test-database';
import { waitUntil } from '@accepted/testing/wait-until';
import { type KyselyPlugin, RawNode, sql } from 'kysely';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { startDispatcher } from '../../src/services/dispatch/dispatcher.ts';

const QUEUE = 'default';

/** Writes down the names of the statements that go by, those that are put together at each run and those that are not. */
function record(db: Database): { names: string[]; recorded: Database } {
  const names: string[] = [];
  const plugin: KyselyPlugin = {
    transformQuery({ node }) {
      const name = RawNode.is(node) ? nameOfStatement(node.sqlFragments[0] ?? '') : undefined;
      if (name !== undefined) names.push(name);
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  const recorded = db.withPlugin(plugin);
  const executeQuery = recorded.executeQuery.bind(recorded);
  recorded.executeQuery = (query, ...rest) => {
    names.push(nameOfStatement('sql' in query ? query.sql : '') ?? '');
    return executeQuery(query, ...rest);
  };
  return { names, recorded };
}

test('a dispatcher that was told of a job and lost its turn looks again', async () => {
  await using database = await createTestDatabase({ engine: 'postgres' });
  const { db } = database;
  await registerTestBuild(db);
  const worker = { hostname: 'test', pid: 1, queues: [QUEUE], concurrency: 5, buildId: TEST_BUILD };
  await registerWorker(db, { id: newUuid(), ...worker });
  const engine = openEngine({ databaseUrl: database.url, redisUrl: undefined, onError: () => undefined });
  const { names, recorded } = record(db);
  const dispatcher = startDispatcher({
    db: recorded,
    engine,
    queue: QUEUE,
    times: { slowTypes: () => [] },
    share: { mostInFlight: () => undefined },
    logger: pino({ level: 'silent' }),
    onError: () => undefined,
  });
  await waitUntil(() => names.includes('hear-queue'), { until: 'it has found nothing' });

  // A job with a key is taken by a second statement, which can be held up.
  const job = makeJob({ concurrencyKey: 'k', concurrencyLimit: 1 });
  await db.transaction().execute(async (tx) => {
    await sql`UPDATE queues SET dispatch_round = dispatch_round + 1 WHERE name = ${QUEUE}`.execute(tx);
    await insertJobs(db, [job]);
    dispatcher.wake();
    await waitUntil(() => names.includes('take-limited-jobs'), { until: 'it has chosen the job' });
  });
  const isDispatched = async () => {
    const row = db.selectFrom('current_jobs').select('dispatched_at').where('id', '=', job.id);
    return (await row.executeTakeFirstOrThrow()).dispatched_at !== null;
  };
  await waitUntil(isDispatched, { until: 'the job is dispatched' });
  await dispatcher.stop();
  await engine.close();
  const turns = names.filter((name) => ['survey-queue', 'hear-queue', 'take-limited-jobs'].includes(name));
  // It may have looked by itself just before there was anything.
  const chosenAt = turns.indexOf('take-limited-jobs') - 1;
  expect(turns.slice(chosenAt, chosenAt + 5)).toEqual([
    'hear-queue',
    'take-limited-jobs',
    'survey-queue',
    'hear-queue',
    'take-limited-jobs',
  ]);
});
