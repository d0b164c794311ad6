import { PgBoss } from 'pg-boss';
import type { Contender } from '../contender.ts';
import { countRows, readCommitTimes } from '../postgres-rows.ts';
import { QUEUE } from '../settings.ts';
import { startApi, startWorker } from '../start-programs.ts';

const FOLDER = 'bench/src/contenders/pg-boss';

/** pg-boss behind the same route: `send`, and workers that are woken by notifications. */
export const pgBoss: Contender = {
  name: 'pg-boss',
  title: 'pg-boss',
  runsJobs: true,
  async prepare({ databaseUrl }) {
    const boss = new PgBoss({ connectionString: databaseUrl, supervise: false, schedule: false });
    await boss.start();
    await boss.createQueue(QUEUE, { notify: true });
    await boss.stop();
  },
  startApi: (stores) => startApi(`${FOLDER}/api.ts`, stores),
  startWorker: (stores, env) => startWorker(`${FOLDER}/worker.ts`, stores, env),
  countUnfinished: ({ postgres }) => countRows(postgres, `pgboss.job WHERE state < 'completed'`),
  listOutcomes: ({ postgres }) => readCommitTimes(postgres, 'data', `pgboss.job WHERE state = 'completed'`),
};
