import type { Contender } from '../contender.ts';
import { countRows, readCommitTimes } from '../postgres-rows.ts';
import { startApi, startWorker } from '../start-programs.ts';

const FOLDER = 'bench/src/contenders/hand-written';

const TABLE = `CREATE TABLE jobs (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  status text NOT NULL DEFAULT 'queued',
  payload jsonb NOT NULL,
  result jsonb,
  created_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz
)`;

/** One insert, then `queue.add`; the worker updates the row. A crash between the two loses the job. */
export const handWritten: Contender = {
  name: 'hand-written',
  title: 'hand-written (insert, then add)',
  runsJobs: true,
  prepare: async ({ postgres }) => void (await postgres.query(TABLE)),
  startApi: (stores) => startApi(`${FOLDER}/api.ts`, stores),
  startWorker: (stores, env) => startWorker(`${FOLDER}/worker.ts`, stores, env),
  countUnfinished: ({ postgres }) => countRows(postgres, 'jobs WHERE finished_at IS NULL'),
  listOutcomes: ({ postgres }) => readCommitTimes(postgres, 'payload', 'jobs WHERE finished_at IS NOT NULL'),
};
