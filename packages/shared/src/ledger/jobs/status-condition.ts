import { type RawBuilder, sql } from 'kysely';
import type { JobStatus } from '../../core/job/status.ts';

/**
 * Builds the list in `status IN (…)` with the statuses in the text itself. A plan that is kept for all values of its
 * parameters cannot use a partial index, as it does not know whether a parameter meets the index's condition.
 */
export function listed(statuses: readonly JobStatus[]): RawBuilder<unknown> {
  return sql`(${sql.join(statuses.map((status) => sql.lit(status)))})`;
}
