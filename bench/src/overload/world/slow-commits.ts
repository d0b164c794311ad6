import type { Contender } from '../../contenders/contender.ts';

/**
 * Lets each write of PostgreSQL's log take so long: whoever writes it waits before with the lock held, and takes along who comes
 * meanwhile, as on a disk that takes so long for a sync. Processes that are started from then on have it.
 */
export function withSlowCommits(contender: Contender, commitMs: number): Contender {
  return {
    ...contender,
    async prepare(stores) {
      await contender.prepare(stores);
      const name = new URL(stores.databaseUrl).pathname.slice(1);
      await stores.postgres.query(`ALTER DATABASE ${name} SET commit_delay = ${commitMs * 1_000}`);
      await stores.postgres.query(`ALTER DATABASE ${name} SET commit_siblings = 0`);
    },
  };
}
