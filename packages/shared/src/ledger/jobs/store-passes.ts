import { sql } from 'kysely';
import type { QueuePicture } from '../../core/fairness/queue-picture.ts';
import type { Database } from '../connection/connect.ts';

/**
 * Keeps the fair order of a queue for the dispatcher that follows, unless one has followed already. It counts the round up as a
 * turn does, so that one of before, who may know less, stores nothing over it. Answers whether it was stored.
 */
export async function storePasses(db: Database, queue: string, picture: QueuePicture): Promise<boolean> {
  const { present, passes } = picture.order.state();
  const { rows } = await sql<{ isHeld: boolean }>`
    /* store-passes */ WITH held AS (
      UPDATE queues SET present_pass = ${present}, dispatch_round = dispatch_round + 1
      WHERE name = ${queue} AND dispatch_round = ${picture.round}::bigint RETURNING name
    ),
    given AS (
      SELECT * FROM unnest(${passes.map(({ tenantId }) => tenantId)}::uuid[], ${passes.map(({ pass }) => pass)}::float8[])
        AS given (tenant_id, pass)
    ),
    overtaken AS (
      DELETE FROM passes USING held WHERE queue = held.name AND NOT EXISTS (
        SELECT FROM given WHERE given.tenant_id = passes.tenant_id)
    ),
    kept AS (
      INSERT INTO passes (queue, tenant_id, pass) SELECT held.name, tenant_id, pass FROM held CROSS JOIN given
      ON CONFLICT (queue, tenant_id) DO UPDATE SET pass = excluded.pass WHERE passes.pass <> excluded.pass
    )
    SELECT EXISTS (SELECT FROM held) AS "isHeld"`.execute(db);
  const isHeld = rows[0]?.isHeld === true;
  if (isHeld) picture.round += 1;
  return isHeld;
}
