import pg from 'pg';

/** Opens a session of the suite's own, which `terminateOthers` spares. */
export async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'faults-hold',
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** Ends every other session; answers how many there were. */
export async function terminateOthers(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ ended: number }>(
    `SELECT count(pg_terminate_backend(pid))::int AS ended FROM pg_stat_activity
     WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' AND application_name <> 'faults-hold'`,
  );
  return rows[0]?.ended ?? 0;
}
