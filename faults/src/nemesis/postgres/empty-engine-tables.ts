import { waitUntil } from '@accepted/testing/wait-until';
import type pg from 'pg';
import type { FaultKind } from '../../kinds.ts';
import type { WipeLine } from '../../logs.ts';
import type { World } from '../../world/world.ts';
import type { Fault } from '../fault.ts';
import { aboutToBeWiped } from '../note-wipe.ts';
import { connect } from './session.ts';

const EMPTIED_WITHIN_MS = 40_000;
/** So long those who work there are left to finish; they are ended then, as by who restores a schema in use. */
const PATIENCE_MS = 2_000;

/** Empties BullMQ's own tables, as a restore of the ledger's schema alone does. */
export const emptyEngineTables: Fault = {
  kind: 'engine-tables-emptied',
  async inject({ world }) {
    const { tables } = await emptyTables(world, 'engine-tables-emptied');
    return { target: 'engine', proof: `${tables} tables were emptied` };
  },
};

/** Answers how many tables it was, and what was in them as the ledger believes. */
export async function emptyTables(
  world: World,
  kind: FaultKind,
): Promise<{ tables: number; wipe: WipeLine }> {
  const client = await connect(world.postgres.databaseUrl);
  const other = await connect(world.postgres.databaseUrl);
  try {
    const names = await tablesOfEngine(client);
    // It takes all locks at once, and those who work there take them one by one: they notice a deadlock first, and give way.
    await client.query(`SET deadlock_timeout = '5s'`);
    const empty = async () => {
      const before = await aboutToBeWiped(world, kind);
      await endingBlockers(client, other, `TRUNCATE ${names.join(', ')}`);
      // They had them until now, and may have waited for the locks for seconds.
      return { ...before, at: Date.now() };
    };
    const wipe = await waitUntil(empty, { until: 'the tables are empty', timeoutMs: EMPTIED_WITHIN_MS });
    void world.journals.wipes.write(wipe);
    return { tables: names.length, wipe };
  } finally {
    await Promise.all([client.end(), other.end()]);
  }
}

async function tablesOfEngine(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT format('bullmq.%I', tablename) AS name FROM pg_tables WHERE schemaname = 'bullmq' AND tablename NOT LIKE '%migration%' AND tablename NOT LIKE '%version%'`,
  );
  if (rows.length === 0) throw new Error('there are no tables of BullMQ');
  return rows.map(({ name }) => name);
}

/**
 * Runs a statement, and ends who still holds it up after a while. A session looks for a deadlock once, a second after
 * it began to wait: one that comes about later is found by nobody but the statement, which would give way each time.
 */
async function endingBlockers(client: pg.Client, other: pg.Client, statement: string): Promise<void> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const endBlockers = () =>
    other.query('SELECT pg_terminate_backend(blocker) FROM unnest(pg_blocking_pids($1)) AS blocker', [
      rows[0]?.pid,
    ]);
  const impatience = setInterval(() => void endBlockers().catch(() => undefined), PATIENCE_MS);
  try {
    await client.query(statement);
  } finally {
    clearInterval(impatience);
  }
}
