import { once } from 'node:events';
import { waitUntil } from '@accepted/testing/wait-until';
import type { Fault } from '../fault.ts';

/** `kill -9` of one backend: Postgres cannot trust its shared memory any more and starts all over. */
export const killBackend: Fault = {
  kind: 'postgres-backend-killed',
  async inject({ world: { postgres } }) {
    return await postgres.asAdmin(async (client) => {
      const { rows } = await client.query<{ pid: number }>(
        `SELECT pid FROM pg_stat_activity WHERE application_name IN ('accepted-worker', 'accepted-api') ORDER BY random() LIMIT 1`,
      );
      const pid = rows[0]?.pid;
      if (!pid) throw new Error('there was no session to kill');
      const reset = once(client, 'end', { signal: AbortSignal.timeout(10_000) });
      process.kill(pid, 'SIGKILL');
      await reset;
      await waitUntil(() => postgres.asAdmin(async () => true), {
        until: 'Postgres has recovered',
        timeoutMs: 20_000,
      });
      return { target: 'postgres', proof: `backend ${pid} was killed, and every other session ended` };
    });
  },
};
