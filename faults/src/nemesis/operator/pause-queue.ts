import type { Database } from '@accepted/shared/ledger/connection/connect';
import { sql } from 'kysely';
import { operate, untilInForce } from '../../world/operate.ts';
import type { Fault } from '../fault.ts';
import { noteWipe } from '../note-wipe.ts';
import { hold } from '../targets.ts';

const QUEUE = 'default';
const LASTS_MS = { least: 1_500, most: 3_000 };

/** Pauses a queue under load and, where there is a Redis, wipes that: nothing of the queue starts until it is resumed. */
export const pauseQueue: Fault = {
  kind: 'queue-paused',
  async inject({ world, random }) {
    try {
      await operate(world, 'POST', `/v1/queues/${QUEUE}/pause`);
      await untilInForce();
      const since = await world.ledger.ask(now);
      if (world.redis) {
        await noteWipe(world, 'queue-paused');
        await world.redis.client.flushall();
      }
      await hold(random, LASTS_MS.least, LASTS_MS.most);
      const { started, waiting } = await world.ledger.ask((db) => countSince(db, since));
      if (started > 0) throw new Error(`${started} jobs were started while the queue was paused`);
      return { target: QUEUE, proof: `${waiting} jobs waited, and none was started` };
    } finally {
      await operate(world, 'POST', `/v1/queues/${QUEUE}/resume`);
    }
  },
};

async function now(db: Database): Promise<string> {
  const { rows } = await sql<{ now: string }>`SELECT now()::text AS now`.execute(db);
  return rows[0]?.now ?? '';
}

/** Counts what began since, finished or not, and what waits. */
async function countSince(db: Database, since: string): Promise<{ started: number; waiting: number }> {
  const { rows } = await sql<{ started: number; waiting: number }>`
    SELECT (SELECT count(*) FROM in_flight WHERE queue = ${QUEUE} AND started_at > ${since}::timestamptz)::int
        + (SELECT count(*) FROM attempts JOIN jobs ON jobs.tenant_id = attempts.tenant_id AND jobs.id = job_id
           WHERE queue = ${QUEUE} AND started_at > ${since}::timestamptz)::int AS started,
      ((SELECT count(*) FROM ready WHERE queue = ${QUEUE}) + (SELECT count(*) FROM blocked WHERE queue = ${QUEUE}))::int AS waiting`.execute(
    db,
  );
  return rows[0] ?? { started: Number.NaN, waiting: 0 };
}
