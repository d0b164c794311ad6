import { waitUntil } from '@accepted/testing/wait-until';
import type { World } from '../../world/world.ts';
import type { Fault } from '../fault.ts';
import { hold } from '../targets.ts';
import { connect } from './session.ts';

export const lockTable: Fault = {
  kind: 'postgres-table-locked',
  async inject({ world, random }) {
    const holder = await connect(world.postgres.databaseUrl);
    try {
      await holder.query('BEGIN');
      await holder.query('LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE');
      const waiting = await waitUntil(() => countWaiting(world), { until: 'somebody waits for the lock' });
      await hold(random, 1_500, 4_000);
      return { target: 'postgres', proof: `${waiting} sessions waited for the lock on jobs` };
    } finally {
      await holder.end();
    }
  },
};

async function countWaiting({ postgres }: World): Promise<number> {
  return await postgres.asAdmin(async (client) => {
    const { rows } = await client.query<{ waiting: number }>(
      'SELECT count(*)::int AS waiting FROM pg_locks WHERE NOT granted',
    );
    return rows[0]?.waiting ?? 0;
  });
}
