import { countUnfinishedInRedis, listOutcomesInRedis } from '../bullmq-queue.ts';
import type { Contender } from '../contender.ts';
import { startApi, startWorker } from '../start-programs.ts';

const FOLDER = 'bench/src/contenders/naive-bullmq';

/** BullMQ as a tutorial writes it: what Redis forgets is lost. */
export const naiveBullmq: Contender = {
  name: 'naive-bullmq',
  title: 'naive BullMQ (not durable)',
  runsJobs: true,
  prepare: async () => undefined,
  startApi: (stores) => startApi(`${FOLDER}/api.ts`, stores),
  startWorker: (stores) => startWorker(`${FOLDER}/worker.ts`, stores),
  countUnfinished: ({ redis }) => countUnfinishedInRedis(redis),
  listOutcomes: ({ redis }) => listOutcomesInRedis(redis),
};
