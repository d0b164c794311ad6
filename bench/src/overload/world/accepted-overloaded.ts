import { fileURLToPath } from 'node:url';
import {
  acceptedRedis,
  migrateAndRegister,
  startAcceptedApi,
  startAcceptedWorker,
} from '../../contenders/accepted/accepted.ts';
import type { Contender } from '../../contenders/contender.ts';

const JOBS_DIR = fileURLToPath(new URL('../jobs', import.meta.url));
const TIME_ANSWERS = new URL('../../preload/time-answers.ts', import.meta.url).href;

/** Accepted with several job types, and an API that notes how long its answers took; all else as it is by default. */
export const acceptedOverloaded: Contender = {
  ...acceptedRedis,
  prepare: (stores) => migrateAndRegister(stores, { JOBS_DIR }),
  startApi: (stores) => startAcceptedApi(stores, { NODE_OPTIONS: `--import=${TIME_ANSWERS}` }),
  startWorker: (stores, env = {}) => startAcceptedWorker(stores, { JOBS_DIR, ...env }),
};

/** So many handlers in one worker; the contenders read another name. */
export const slotsOf = (slots: number) => ({ BENCH_CONCURRENCY: `${slots}`, WORKER_CONCURRENCY: `${slots}` });
