import { sql } from 'kysely';

/** Means the index of dead letters by job (`migrations/0021_indexes_that_are_meant.ts`): it holds for every row. */
export const OF_JOB = sql`CASE WHEN dead_letters.attempts_made >= 0 THEN true ELSE false END`;
