import { basename } from 'node:path';
import { cloneCluster, writeClusterFile } from '@accepted/embedded-postgres/clone-cluster';
import { askServer, connectTo } from './ask-server.ts';
import { makeServerFolder, openPostgresServer, type PostgresServer } from './postgres-server.ts';
import { waitUntil } from './wait-until.ts';

/** A server that follows another by streaming replication, until it is promoted. */
export interface PostgresReplica extends PostgresServer {
  /**
   * Has the primary wait for this replica at every commit from now on; resolves when it does. What is committed then is
   * here as well, so a failover loses nothing.
   */
  makeSynchronous(): Promise<void>;
  /** Ends the recovery: from now on it takes writes, on a timeline of its own. */
  promote(): Promise<void>;
}

const CATCHES_UP_WITHIN_MS = 60_000;

/** Makes a replica of a running server from a base backup; resolves when it streams. */
export async function startPostgresReplica(
  primary: PostgresServer,
  postgresFlags: string[] = [],
): Promise<PostgresReplica> {
  const folder = await makeServerFolder();
  const name = `replica_${basename(folder).replace(/\W/g, '_').toLowerCase()}`;
  const dataDir = await takeBaseBackup(primary, folder, name);
  await writeClusterFile(dataDir, 'postgresql.auto.conf', followingSettings(primary, name));
  await writeClusterFile(dataDir, 'standby.signal', '');
  const server = await openPostgresServer(folder, postgresFlags, primary.binDir);
  await isListed(primary, name, ['async', 'potential', 'sync', 'quorum']);
  return Object.defineProperties({} as PostgresReplica, {
    ...Object.getOwnPropertyDescriptors(server),
    makeSynchronous: { value: () => waitForReplica(primary, name) },
    promote: { value: async () => void (await askServer(server, 'SELECT pg_promote(true)')) },
  });
}

async function takeBaseBackup(primary: PostgresServer, folder: string, slot: string): Promise<string> {
  const client = await connectTo(primary);
  try {
    // From here on the primary keeps the log that the replica will ask for.
    await client.query('SELECT pg_create_physical_replication_slot($1, true)', [slot]);
    await client.query('SELECT pg_backup_start($1, fast => true)', [slot]);
    const dataDir = await cloneCluster(primary.dataDir, folder);
    const { rows } = await client.query<{ label: string }>(
      'SELECT labelfile AS label FROM pg_backup_stop(wait_for_archive => false)',
    );
    await writeClusterFile(dataDir, 'backup_label', rows[0]?.label ?? '');
    return dataDir;
  } finally {
    await client.end();
  }
}

/** Of two values of one setting the later counts: the primary may have been a replica itself. */
function followingSettings(primary: PostgresServer, name: string): string {
  const { hostname, port, username, password } = new URL(primary.url);
  const address = `host=${hostname} port=${port} user=${username} password=${password}`;
  return `primary_conninfo = '${address} application_name=${name}'\nprimary_slot_name = '${name}'\n`;
}

async function waitForReplica(primary: PostgresServer, name: string): Promise<void> {
  await askServer(primary, `ALTER SYSTEM SET synchronous_standby_names = '${name}'`);
  await askServer(primary, 'SELECT pg_reload_conf()');
  await isListed(primary, name, ['sync']);
}

async function isListed(primary: PostgresServer, name: string, states: string[]): Promise<void> {
  const isThere = async () => {
    const replicas = await askServer(
      primary,
      `SELECT pid FROM pg_stat_replication WHERE application_name = $1 AND state = 'streaming' AND sync_state = ANY($2)`,
      [name, states],
    );
    return replicas.length > 0;
  };
  await waitUntil(isThere, {
    until: `the replica streams, ${states.join(' or ')}`,
    timeoutMs: CATCHES_UP_WITHIN_MS,
  });
}
