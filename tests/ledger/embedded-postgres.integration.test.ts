import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '@accepted/embedded-postgres/start-embedded-postgres';
import { openTestDatabase } from '@accepted/testing/test-database';
import { sql } from 'kysely';
import { afterEach, expect, test } from 'vitest';

const folders: string[] = [];
const servers: EmbeddedPostgres[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    await server.stop('immediate');
    await rm(dirname(server.dataDir), { recursive: true, force: true });
  }
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

test('it starts in a folder that the account of the server cannot enter, on 127.0.0.1 alone', async () => {
  const server = await start(await closedFolder());

  expect(await readSetting(server.url, 'listen_addresses')).toBe('127.0.0.1');
  expect((await stat(server.dataDir)).mode & 0o777).toBe(0o700);
});

test('it keeps its data and its port, and takes another port when that one is busy', async () => {
  const folder = await closedFolder();
  const first = await start(folder);
  await run(first.url, 'CREATE TABLE kept (value int)');
  await first.stop();
  const second = await start(folder);
  expect(second.url).toBe(first.url);
  await second.stop();

  const squatter = createServer().listen(first.port, '127.0.0.1');
  await once(squatter, 'listening');
  const third = await start(folder);
  squatter.close();

  expect(third.port).not.toBe(first.port);
  await run(third.url, 'SELECT value FROM kept');
});

test('a pid file whose pid has gone to another process does not keep it from starting', async () => {
  // A process of the same account: the only one that PostgreSQL cannot tell from a server of its own.
  const other = await start(await closedFolder());
  const folder = await closedFolder();
  const first = await start(folder);
  await first.stop('immediate');
  await writeFile(
    join(first.dataDir, 'postmaster.pid'),
    `${other.pid}\n${first.dataDir}\n0\n${first.port}\n\n\n\nready\n`,
  );

  expect(await start(folder)).toMatchObject({ adopted: false });
});

test('two starts on the same data share one server', async () => {
  const folder = await closedFolder();
  await (await start(folder)).stop();

  const both = await Promise.all([start(folder), start(folder)]);

  expect(both[0].pid).toBe(both[1].pid);
});

/** As root `postgres` cannot enter it, like anything below `/root`. */
async function closedFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'accepted-closed-'));
  folders.push(folder);
  return folder;
}

async function start(dataDir: string): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDir });
  servers.push(server);
  return server;
}

async function run(url: string, statement: string): Promise<void> {
  const db = openTestDatabase(url, 1);
  await sql.raw(statement).execute(db);
  await db.destroy();
}

async function readSetting(url: string, name: string): Promise<string | undefined> {
  const db = openTestDatabase(url, 1);
  const { rows } = await sql<{ value: string }>`SELECT current_setting(${name}) AS value`.execute(db);
  await db.destroy();
  return rows[0]?.value;
}
