import { waitUntil } from '@accepted/testing/wait-until';
import type { Fault } from '../fault.ts';

/** `kill -9` of one backend: Postgres cannot trust its shared memory any more and starts all over. */
export const killBackend: Fault = {
  kind: 'postgres-backend-killed',
  async inject({ world: { postgres } }) {
    return await postgres.asAdmin(async (client) => {
      const { rows } = await client.query<{ pid: number }>(
        `SELECT pid FROM pg_stat_activity WHERE application_name ~ '^accepted-(worker|api)' ORDER BY random() LIMIT 1`,
      );
      const pid = rows[0]?.pid;
      if (!pid) throw new Error('there was no session to kill');
      // Not `once` of node:events, for which the error that comes first would be the end of it.
      const reset = new Promise((resolve) => client.once('end', resolve));
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
