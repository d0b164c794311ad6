import { waitUntil } from '@accepted/testing/wait-until';
import type { Fault } from '../fault.ts';
import { noteWipe } from '../note-wipe.ts';
import { connect } from './session.ts';

/** A try that gives way takes a second, and on a busy machine many do. */
const EMPTIED_WITHIN_MS = 40_000;

/** Empties BullMQ's own tables, as a restore of the ledger's schema alone does. */
export const emptyEngineTables: Fault = {
  kind: 'engine-tables-emptied',
  async inject({ world }) {
    await noteWipe(world, 'engine-tables-emptied');
    const client = await connect(world.postgres.databaseUrl);
    try {
      const { rows } = await client.query<{ name: string }>(
        `SELECT format('bullmq.%I', tablename) AS name FROM pg_tables WHERE schemaname = 'bullmq' AND tablename NOT LIKE '%migration%' AND tablename NOT LIKE '%version%'`,
      );
      const names = rows.map(({ name }) => name);
      if (names.length === 0) throw new Error('there are no tables of BullMQ');
      // It takes all locks at once, and those who work there take them one by one: now and then it is the one to give way.
      const empty = () => client.query(`TRUNCATE ${names.join(', ')}`);
      await waitUntil(empty, { until: 'the tables are empty', timeoutMs: EMPTIED_WITHIN_MS });
      return { target: 'engine', proof: `${names.length} tables were emptied` };
    } finally {
      await client.end();
    }
  },
};
