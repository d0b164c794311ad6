import { publicId } from '@accepted/shared/core/job/id';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { sql } from 'kysely';
import type { FaultKind } from '../../kinds.ts';
import { operate, untilInForce } from '../../world/operate.ts';
import type { Fault } from '../fault.ts';
import { hold } from '../targets.ts';
import { wipeEngine } from '../wipe-engine.ts';

/** What can be paused, and how its jobs are told from others. */
interface Pausable {
  path: string;
  column: 'queue' | 'type' | 'tenant_id';
  value: string;
}

/** What has most of the load. */
const PAUSABLE = {
  'queue-paused': async () => ({ path: '/v1/queues/default', column: 'queue', value: 'default' }),
  'type-paused': async () => ({
    path: '/v1/job-types/faults.effect',
    column: 'type',
    value: 'faults.effect',
  }),
  'tenant-paused': async (db) => {
    const named = db.selectFrom('tenants').select('id').where('name', '=', 'default');
    const { id } = await named.executeTakeFirstOrThrow();
    return { path: `/v1/tenants/${publicId('tenant', id)}`, column: 'tenant_id', value: id };
  },
} as const satisfies Partial<Record<FaultKind, (db: Database) => Promise<Pausable>>>;

const LASTS_MS = { least: 1_500, most: 3_000 };

/** Makes the fault of a pause under load which, where there is a Redis, wipes that: nothing of what is paused starts until it is resumed. */
export function pause(kind: keyof typeof PAUSABLE): Fault {
  return {
    kind,
    async inject({ world, random }) {
      const find: (db: Database) => Promise<Pausable> = PAUSABLE[kind];
      const paused = await world.ledger.ask(find);
      try {
        await operate(world, 'POST', `${paused.path}/pause`);
        await untilInForce();
        const since = await world.ledger.ask(now);
        if (world.redis) await wipeEngine(world, kind);
        await hold(random, LASTS_MS.least, LASTS_MS.most);
        const { started, waiting } = await world.ledger.ask((db) => countSince(db, paused, since));
        if (started > 0) throw new Error(`${started} jobs were started while ${paused.path} was paused`);
        return { target: paused.path, proof: `${waiting} jobs waited, and none was started` };
      } finally {
        await operate(world, 'POST', `${paused.path}/resume`);
      }
    },
  };
}

async function now(db: Database): Promise<string> {
  const { rows } = await sql<{ now: string }>`SELECT now()::text AS now`.execute(db);
  return rows[0]?.now ?? '';
}

/** Counts what began since, finished or not, and what waits. */
async function countSince(
  db: Database,
  { column, value }: Pausable,
  since: string,
): Promise<{ started: number; waiting: number }> {
  const isPaused = sql`${sql.ref(column)} = ${value}`;
  const { rows } = await sql<{ started: number; waiting: number }>`
    SELECT (SELECT count(*) FROM in_flight WHERE ${isPaused} AND started_at > ${since}::timestamptz)::int
        + (SELECT count(*) FROM attempts JOIN jobs ON jobs.tenant_id = attempts.tenant_id AND jobs.id = job_id
           WHERE ${sql.ref(`jobs.${column}`)} = ${value} AND started_at > ${since}::timestamptz)::int AS started,
      ((SELECT count(*) FROM ready WHERE ${isPaused}) + (SELECT count(*) FROM blocked WHERE ${isPaused}))::int AS waiting`.execute(
    db,
  );
  return rows[0] ?? { started: Number.NaN, waiting: 0 };
}
