import type { Contender } from '../contender.ts';
import { startApi } from '../start-programs.ts';

/** The same route, parsing and checking alike, that answers 202 and stores nothing. */
export const limit: Contender = {
  name: 'limit',
  title: 'limit (stores nothing)',
  runsJobs: false,
  prepare: async () => undefined,
  startApi: (stores) => startApi('bench/src/contenders/limit/api.ts', stores),
  startWorker: () => Promise.reject(new Error('The limit runs no jobs.')),
  countUnfinished: async () => 0,
  listOutcomes: async () => [],
};
