import { waitUntil } from '@accepted/testing/wait-until';
import type { Fault } from '../fault.ts';
import { aboutToBeWiped } from '../note-wipe.ts';
import { connect } from './session.ts';

/** A try that gives way all the same takes some seconds. */
const EMPTIED_WITHIN_MS = 40_000;

/** Empties BullMQ's own tables, as a restore of the ledger's schema alone does. */
export const emptyEngineTables: Fault = {
  kind: 'engine-tables-emptied',
  async inject({ world }) {
    const client = await connect(world.postgres.databaseUrl);
    try {
      const { rows } = await client.query<{ name: string }>(
        `SELECT format('bullmq.%I', tablename) AS name FROM pg_tables WHERE schemaname = 'bullmq' AND tablename NOT LIKE '%migration%' AND tablename NOT LIKE '%version%'`,
      );
      const names = rows.map(({ name }) => name);
      if (names.length === 0) throw new Error('there are no tables of BullMQ');
      // It takes all locks at once, and those who work there take them one by one: they notice a deadlock first, and give way.
      await client.query(`SET deadlock_timeout = '5s'`);
      const empty = async () => {
        const wipe = await aboutToBeWiped(world, 'engine-tables-emptied');
        await client.query(`TRUNCATE ${names.join(', ')}`);
        void world.journals.wipes.write(wipe);
        return true;
      };
      await waitUntil(empty, { until: 'the tables are empty', timeoutMs: EMPTIED_WITHIN_MS });
      return { target: 'engine', proof: `${names.length} tables were emptied` };
    } finally {
      await client.end();
    }
  },
};
