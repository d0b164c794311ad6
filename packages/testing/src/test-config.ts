/** What the tests take from the environment; nothing else in this package reads it. */
export const testConfig = Object.freeze({
  PATH: process.env.PATH,
  /** Set: tests that only need some Redis use this one. Unset: they start their own. */
  REDIS_URL: process.env.REDIS_URL || undefined,
});
