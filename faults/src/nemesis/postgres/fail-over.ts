import { askServer, setReadOnly } from '@accepted/testing/ask-server';
import { type PostgresReplica, startPostgresReplica } from '@accepted/testing/postgres-replica';
import type { PostgresServer } from '@accepted/testing/postgres-server';
import { waitUntil } from '@accepted/testing/wait-until';
import type { World } from '../../world/world.ts';
import type { Fault } from '../fault.ts';
import { hold } from '../targets.ts';

/** Sooner than the server of before ends: a statement on it may have to be given up first. */
const GIVEN_UP_WITHIN_MS = 20_000;

/**
 * A replica that every commit waits for is promoted. The old primary takes no writes any more and keeps its sessions
 * open; new connections go to the new one. Nobody tells our processes: they have to let go of the old sessions themselves.
 */
export const failOver: Fault = {
  kind: 'postgres-failed-over',
  async inject({ world, random }) {
    const { postgres } = world;
    const timeline = await timelineOf(postgres);
    const replica = await startSynchronousReplica(world);
    // Once it takes no writes our processes let go of it within moments.
    const sessions = await countSessions(postgres);
    await setReadOnly(postgres, true);
    const awayMs = await hold(random, 300, 1_500);
    await replica.promote();
    const old = takeOver(world, replica);
    try {
      const promotedAt = performance.now();
      await waitUntil(async () => (await countSessions(old)) === 0, {
        until: 'nobody keeps a session to the old primary',
        timeoutMs: GIVEN_UP_WITHIN_MS,
      });
      const keptMs = Math.round(performance.now() - promotedAt);
      const promoted = await timelineOf(replica);
      if (promoted <= timeline || sessions === 0)
        throw new Error(`timeline ${timeline} became ${promoted}, with ${sessions} sessions`);
      const what = `timeline ${timeline} became ${promoted}, away ${awayMs} ms`;
      return {
        target: 'postgres',
        proof: `${what}; ${sessions} old sessions were given up after ${keptMs} ms`,
      };
    } finally {
      await old[Symbol.asyncDispose]();
    }
  },
};

/** From the moment it is synchronous, what is acknowledged is on both. */
async function startSynchronousReplica({ postgres }: World): Promise<PostgresReplica> {
  const replica = await startPostgresReplica(postgres, postgres.flags);
  try {
    await replica.makeSynchronous();
    return replica;
  } catch (error) {
    await askServer(postgres, 'ALTER SYSTEM RESET synchronous_standby_names');
    await askServer(postgres, 'SELECT pg_reload_conf()');
    await replica[Symbol.asyncDispose]();
    throw error;
  }
}

/** Leads every new connection to the new primary; answers the old one. */
function takeOver({ postgres, apis, workers }: World, replica: PostgresReplica): PostgresServer {
  for (const { links } of [...apis, ...workers])
    links.postgres.retarget({ host: '127.0.0.1', port: replica.port });
  return postgres.moveTo(replica);
}

async function timelineOf(server: PostgresServer): Promise<number> {
  const [row] = await askServer<{ timeline: string }>(
    server,
    'SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) AS timeline',
  );
  return Number.parseInt(row?.timeline ?? '', 16);
}

/** Of our processes; the suite's own are not to be counted. */
async function countSessions(server: PostgresServer): Promise<number> {
  const [row] = await askServer<{ count: number }>(
    server,
    `SELECT count(*)::int AS count FROM pg_stat_activity
     WHERE datname <> 'postgres' AND application_name NOT LIKE 'faults%'`,
  );
  return row?.count ?? 0;
}
