/** What the contenders' processes are given; nothing else of theirs reads the environment. */
export const settings = Object.freeze({
  PORT: Number(process.env.PORT),
  DATABASE_URL: process.env.DATABASE_URL ?? '',
  REDIS_URL: process.env.REDIS_URL ?? '',
});

/** The one queue. */
export const QUEUE = 'bench';

/** Jobs that run at once in one worker process: Accepted's default, and so everybody's. */
export const CONCURRENCY = Number(process.env.BENCH_CONCURRENCY ?? 20);

/**
 * What pg-boss takes at once: as many as graphile-worker fetches. It was the fastest of 20, 500, and 5 for each of 4 local workers; a
 * handler that does nothing leaves nothing to do at the same time. One that works runs for all of a batch at once.
 */
export const BATCH_SIZE = Number(process.env.BENCH_CONCURRENCY ?? 500);
