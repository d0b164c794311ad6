import { sql } from 'kysely';
import type { WorkPace } from '../../core/overload/slowness.ts';
import type { Database } from '../connection/connect.ts';
import { othersPace, othersSuffice } from './slow-workers.ts';
import { steadyGap } from './workers.ts';

/** What a worker says of itself every `heartbeatMs`, or sooner. */
export interface Heartbeat {
  heartbeatMs: number;
  /** Jobs that it finishes per second, by queue. */
  finishedPerSecond: Record<string, number>;
  /** The types of which handlers that it runs hang. */
  slowTypes?: string[];
  /** Whether it reaches the queue engine. */
  engineUp: boolean;
  /** How full the engine's memory is, from 0 to 1; not there while the engine does not tell. */
  engineFullness?: number | undefined;
  /** How quick it is. */
  pace?: WorkPace;
  /** The types of which it has to hear how long others take. */
  comparedTypes?: string[];
  /** Whether it stays marked as slow, if it is and others can spare it. */
  staysSlow?: boolean;
}

/** A service of which one worker of the installation runs; who is not able to leaves it to another one that is. */
export interface WantedService {
  name: string;
  isAble: boolean;
}

/** What a beat brought. */
export interface Beat {
  /**
   * `false`: the lease of the worker is lost. Somebody found its heartbeat too old and may already have given the running
   * jobs away, so it must stop them and start again under a new id.
   */
  isAlive: boolean;
  /** Whether it is marked as slow, and others can still spare it. */
  isSlow: boolean;
  /** How quick others are that work on the compared types. */
  others: WorkPace[];
  /** The services whose leases it holds now. */
  held: string[];
  /** When the first of the leases that others hold ends; `null` when they hold none. */
  othersEndInMs: number | null;
  /** Whether the installation has more than one tenant. */
  hasSeveralTenants: boolean;
}

const UNKNOWN_PACE: WorkPace = { handlerMs: {}, loopLateMs: 0 };

/** Prolongs the lease of a worker and those of its services, and takes over services whose leases have ended, for `leaseMs`. */
export async function beat(
  db: Database,
  workerId: string,
  heartbeat: Heartbeat,
  { services, leaseMs }: { services: readonly WantedService[]; leaseMs: number } = {
    services: [],
    leaseMs: 0,
  },
): Promise<Beat> {
  const { heartbeatMs, finishedPerSecond, slowTypes = [], engineUp, engineFullness = null } = heartbeat;
  const { pace = UNKNOWN_PACE, comparedTypes = [], staysSlow = false } = heartbeat;
  const names = services.map(({ name }) => name);
  const mayHave = sql`(services.holder = ${workerId} OR services.expires_at <= now() OR NOT services.is_able AND asked.is_able)`;
  const { rows } = await sql<Beat>`
    /* beat */ WITH alive AS (
      UPDATE workers SET heartbeat_at = now(),
        steady_since = CASE WHEN heartbeat_at < now() - ${steadyGap(heartbeatMs)} THEN now() ELSE steady_since END,
        finished_per_second = ${JSON.stringify(finishedPerSecond)}::jsonb, engine_up = ${engineUp},
        engine_fullness = ${engineFullness}, slow_types = ${slowTypes}::text[],
        handler_ms = ${JSON.stringify(pace.handlerMs)}::jsonb, loop_late_ms = ${pace.loopLateMs},
        slow_since = CASE WHEN ${staysSlow} AND slow_since IS NOT NULL AND ${othersSuffice(heartbeatMs)} THEN slow_since END
      WHERE id = ${workerId} AND lost_at IS NULL RETURNING id, slow_since IS NOT NULL AS is_slow
    ),
    asked AS MATERIALIZED (
      SELECT name, is_able FROM alive CROSS JOIN unnest(${names}::text[], ${services.map(({ isAble }) => isAble)}::boolean[])
        AS asked (name, is_able)
    ),
    -- Whoever may not have one leaves its row alone.
    free AS MATERIALIZED (
      SELECT asked.* FROM asked LEFT JOIN services USING (name) WHERE services.name IS NULL OR ${mayHave}
    ),
    held AS (
      INSERT INTO services (name, holder, is_able, expires_at)
      SELECT name, ${workerId}, is_able, now() + ${leaseMs} * interval '1 ms' FROM free ORDER BY name
      ON CONFLICT (name) DO UPDATE
        SET holder = excluded.holder, is_able = excluded.is_able, expires_at = excluded.expires_at
        WHERE services.holder = excluded.holder OR services.expires_at <= now()
          OR NOT services.is_able AND excluded.is_able
      RETURNING name
    )
    SELECT EXISTS (SELECT FROM alive) AS "isAlive", coalesce((SELECT is_slow FROM alive), false) AS "isSlow",
      ${othersPace(workerId, comparedTypes, heartbeatMs)} AS others, ARRAY(SELECT name FROM held) AS held, (
      SELECT (extract(epoch FROM min(expires_at) - now()) * 1000)::float8 FROM services
      WHERE name = ANY(${names}::text[]) AND holder <> ${workerId} AND expires_at > now()) AS "othersEndInMs",
      EXISTS (SELECT FROM tenants ORDER BY id OFFSET 1 LIMIT 1) AS "hasSeveralTenants"`.execute(db);
  const [brought] = rows;
  if (!brought) throw new Error('A beat answered no row.');
  return brought;
}

/** Ends the leases of the services that this worker holds, so that others take over at once. */
export async function leaveServices(db: Database, workerId: string): Promise<void> {
  await sql`UPDATE services SET expires_at = now() WHERE holder = ${workerId} AND expires_at > now()`.execute(
    db,
  );
}
