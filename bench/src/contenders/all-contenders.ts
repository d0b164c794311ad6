import { acceptedPostgres, acceptedRedis } from './accepted/accepted.ts';
import type { Contender } from './contender.ts';
import { graphileWorker } from './graphile-worker/graphile-worker.ts';
import { handWritten } from './hand-written/hand-written.ts';
import { limit } from './limit/limit.ts';
import { naiveBullmq } from './naive-bullmq/naive-bullmq.ts';
import { pgBoss } from './pg-boss/pg-boss.ts';

/** In the order in which tables and plots show them. */
export const ALL_CONTENDERS: readonly Contender[] = [
  limit,
  naiveBullmq,
  handWritten,
  pgBoss,
  graphileWorker,
  acceptedRedis,
  acceptedPostgres,
];
