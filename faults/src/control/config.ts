/** What the control's processes are given; nothing else in this folder reads the environment. */
export const controlConfig = Object.freeze({
  REDIS_URL: process.env.REDIS_URL ?? '',
  PORT: Number(process.env.PORT),
});

/** The one queue, by the name that tutorials give it. */
export const QUEUE = 'jobs';
