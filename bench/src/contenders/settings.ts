/** What the contenders' processes are given; nothing else of theirs reads the environment. */
export const settings = Object.freeze({
  PORT: Number(process.env.PORT),
  DATABASE_URL: process.env.DATABASE_URL ?? '',
  REDIS_URL: process.env.REDIS_URL ?? '',
});

/** The one queue. */
export const QUEUE = 'bench';

/** Jobs that run at once in one worker process: Accepted's default, and so everybody's. */
export const CONCURRENCY = 20;
