import { sql } from 'kysely';
import type { QueuePicture } from '../../core/fairness/queue-picture.ts';
import type { Database } from '../connection/connect.ts';

/** Keeps the fair order of a queue for the dispatcher that follows, unless one has followed already. */
export async function storePasses(
  db: Database,
  queue: string,
  { order, round }: QueuePicture,
): Promise<void> {
  const { present, passes } = order.state();
  await sql`
    /* store-passes */ WITH held AS (
      UPDATE queues SET present_pass = ${present} WHERE name = ${queue} AND dispatch_round = ${round}::bigint RETURNING name
    ),
    given AS (
      SELECT * FROM unnest(${passes.map(({ tenantId }) => tenantId)}::uuid[], ${passes.map(({ pass }) => pass)}::float8[])
        AS given (tenant_id, pass)
    ),
    overtaken AS (
      DELETE FROM passes USING held WHERE queue = held.name AND NOT EXISTS (
        SELECT FROM given WHERE given.tenant_id = passes.tenant_id)
    )
    INSERT INTO passes (queue, tenant_id, pass) SELECT held.name, tenant_id, pass FROM held CROSS JOIN given
    ON CONFLICT (queue, tenant_id) DO UPDATE SET pass = excluded.pass WHERE passes.pass <> excluded.pass`.execute(
    db,
  );
}
