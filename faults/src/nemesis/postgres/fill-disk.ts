import { execFile } from 'node:child_process';
import { chown, mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { findServerAccount } from '@accepted/embedded-postgres/server-account';
import type pg from 'pg';
import type { Fault } from '../fault.ts';
import { hold } from '../targets.ts';
import { connect } from './session.ts';

const run = promisify(execFile);

/** Tables that every job adds a row to. */
const TABLES = ['idempotency_keys', 'attempts'];
const ROOM_BYTES = 16_000_000;
const CHUNK = Buffer.alloc(65_536);

/**
 * Moves these tables onto a small file system and fills it up: no job can be accepted, and no outcome recorded, until
 * there is room again.
 */
export const fillDisk: Fault = {
  kind: 'postgres-disk-full',
  async inject({ world: { postgres }, random }) {
    const folder = join(dirname(postgres.dataDir), 'small-disk');
    const client = await connect(postgres.databaseUrl);
    try {
      await mountSmallDisk(folder, ROOM_BYTES + 2 * (await sizeOfTables(client)));
      await client.query(`CREATE TABLESPACE faults_small LOCATION '${folder}/space'`);
      await moveTables(client, 'faults_small');
      await fillUp(join(folder, 'filler'));
      const refusal = await refusedWrite(client);
      await hold(random, 1_500, 3_000);
      return { target: 'postgres', proof: refusal };
    } finally {
      await rm(join(folder, 'filler'), { force: true });
      await moveTables(client, 'pg_default');
      await client.query('DROP TABLESPACE IF EXISTS faults_small');
      await client.end();
      await run('umount', [folder]);
      await rm(folder, { recursive: true });
    }
  },
};

/** Tells why a file system cannot be made here; `undefined` when it can. */
export async function whyNoSmallDisk(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'only root on Linux can mount a small tmpfs';
  const folder = await mkdtemp(join(tmpdir(), 'accepted-mount-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]);
    await run('umount', [folder]);
    return undefined;
  } catch (error) {
    return `a tmpfs cannot be mounted: ${error instanceof Error ? error.message.trim() : String(error)}`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function mountSmallDisk(folder: string, bytes: number): Promise<void> {
  const { uid, gid } = await findServerAccount();
  await mkdir(folder, { recursive: true });
  await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder]);
  await mkdir(join(folder, 'space'), { mode: 0o700 });
  if (uid !== undefined && gid !== undefined) await chown(join(folder, 'space'), uid, gid);
}

async function sizeOfTables(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ bytes: number }>(
    'SELECT sum(pg_table_size(name::regclass))::float8 AS bytes FROM unnest($1::text[]) AS name',
    [await tablesWithFiles(client)],
  );
  return rows[0]?.bytes ?? 0;
}

/** A partitioned table has no file itself: its partitions have. */
async function tablesWithFiles(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT coalesce(relid::text, name) AS name
     FROM unnest($1::text[]) AS name LEFT JOIN pg_partition_tree(name::regclass) ON true
     WHERE isleaf IS NOT FALSE`,
    [TABLES],
  );
  return rows.map(({ name }) => name);
}

async function moveTables(client: pg.Client, tablespace: string): Promise<void> {
  for (const table of await tablesWithFiles(client))
    await client.query(`ALTER TABLE ${table} SET TABLESPACE ${tablespace}`);
}

async function fillUp(path: string): Promise<void> {
  await using file = await open(path, 'w');
  for (;;) {
    const left = await file.write(CHUNK).then(
      ({ bytesWritten }) => bytesWritten === CHUNK.length,
      () => false,
    );
    if (!left) return;
  }
}

/** Answers how Postgres refuses to write there. */
async function refusedWrite(client: pg.Client): Promise<string> {
  const filler = `CREATE TABLE faults_filler TABLESPACE faults_small AS
    SELECT repeat('x', 1000) AS filler FROM generate_series(1, 1000)`;
  const error = await client.query(filler).then(
    () => undefined,
    (refusal: Error & { code?: string }) => refusal,
  );
  if (error?.code !== '53100')
    throw new Error(`the disk is not full: ${error?.message ?? 'a write went through'}`);
  return error.message;
}
