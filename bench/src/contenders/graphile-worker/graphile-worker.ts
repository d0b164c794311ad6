import { runMigrations } from 'graphile-worker';
import type { Contender } from '../contender.ts';
import { countRows, readCommitTimes } from '../postgres-rows.ts';
import { startApi, startWorker } from '../start-programs.ts';

const FOLDER = 'bench/src/contenders/graphile-worker';

/** It deletes what it has done, so the payloads of deleted rows are kept where their commit can be read. */
const REMEMBER_OUTCOMES = `
  CREATE UNLOGGED TABLE outcomes (payload json);
  CREATE FUNCTION remember_outcomes() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO outcomes SELECT payload FROM finished; RETURN NULL; END $$;
  CREATE TRIGGER remember_outcomes AFTER DELETE ON graphile_worker._private_jobs
    REFERENCING OLD TABLE AS finished FOR EACH STATEMENT EXECUTE FUNCTION remember_outcomes();`;

/** graphile-worker behind the same route, fetching and completing in batches. */
export const graphileWorker: Contender = {
  name: 'graphile-worker',
  title: 'graphile-worker',
  runsJobs: true,
  prepare: ({ databaseUrl }) => runMigrations({ connectionString: databaseUrl }),
  startApi: (stores) => startApi(`${FOLDER}/api.ts`, stores),
  startWorker: (stores) => startWorker(`${FOLDER}/worker.ts`, stores),
  countUnfinished: ({ postgres }) => countRows(postgres, 'graphile_worker._private_jobs'),
  async rememberOutcomes({ postgres }) {
    await postgres.query(REMEMBER_OUTCOMES);
  },
  listOutcomes: ({ postgres }) => readCommitTimes(postgres, 'payload', 'outcomes'),
};
