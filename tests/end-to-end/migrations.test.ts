import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrateLedger } from '@accepted/shared/ledger/connection/migrate';
import { SCHEMA_VERSION } from '@accepted/shared/ledger/connection/schema-version';
import { secretsKey } from '@accepted/testing/secrets-key';
import { type SpawnedProcess, spawnProcess } from '@accepted/testing/spawn-process';
import { createTestDatabase, MIGRATIONS_DIR } from '@accepted/testing/test-database';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Installation, startInstallation } from './installation.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'accepted-migrations-'));
  await cp(MIGRATIONS_DIR, folder, {
    recursive: true,
    filter: (path) => !/node_modules|tsconfig/.test(path),
  });
  await symlink(join(MIGRATIONS_DIR, 'node_modules'), join(folder, 'node_modules'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Adds a migration to a copy of the folder, as a later version of the product would bring it. */
async function addMigration(name: string, statements: string[], major?: number): Promise<void> {
  const lines = [
    "import { sql } from 'kysely';",
    ...(major === undefined ? [] : [`export const major = ${major};`]),
    'export async function up(db) {',
    ...statements.map((statement) => `  await sql.raw(${JSON.stringify(statement)}).execute(db);`),
    '}',
  ];
  await writeFile(join(folder, `${name}.ts`), lines.join('\n'));
}

test.each(['api', 'worker'])(
  'the %s does not start on a ledger that lacks a migration, and says what to do',
  async (name) => {
    await using database = await createTestDatabase({ engine: 'postgres' });
    await sql`UPDATE schema_version SET minor = minor - 1`.execute(database.db);
    await using program = start(name, database.url);
    expect(await program.exited).toEqual({ code: 1, signal: null });
    expect(program.lines).toEqual([
      expect.stringMatching(
        /could not start: The schema of the ledger is \d+\.\d+, .* run `npm run migrate`\.$/,
      ),
    ]);
  },
);

test('a ledger from before versions were kept is refused as well', async () => {
  await using database = await createTestDatabase({ engine: 'postgres' });
  await sql`DROP TABLE schema_version`.execute(database.db);
  await using program = start('worker', database.url);
  expect(await program.exited).toEqual({ code: 1, signal: null });
  expect(program.lines.join('\n')).toContain('run `npm run migrate`');
});

test.each([
  ['is missing', 'DROP SCHEMA bullmq CASCADE'],
  ['is older', 'DELETE FROM bullmq.migration WHERE version = (SELECT max(version) FROM bullmq.migration)'],
])(
  'a worker on the Postgres engine does not start when the schema of the engine %s',
  async (_, statement) => {
    await using database = await createTestDatabase({ engine: 'postgres' });
    await sql.raw(statement).execute(database.db);
    await using program = start('worker', database.url);
    expect(await program.exited).toEqual({ code: 1, signal: null });
    expect(program.lines.join('\n')).toMatch(
      /The schema of the queue engine is version .* run `npm run migrate`/,
    );
  },
);

test('a worker does not start on a ledger of a newer major version, and the migration of this one refuses it', async () => {
  await using database = await createTestDatabase({ engine: 'postgres' });
  await sql`UPDATE schema_version SET major = major + 1`.execute(database.db);
  await using program = start('worker', database.url);
  expect(await program.exited).toEqual({ code: 1, signal: null });
  expect(program.lines.join('\n')).toContain('start that one instead of this');
  await expect(migrateLedger(database.url, MIGRATIONS_DIR)).rejects.toThrow('a newer version of Accepted');
});

function start(name: string, databaseUrl: string): SpawnedProcess {
  const env = { DATABASE_URL: databaseUrl, SECRETS_KEY: secretsKey };
  return spawnProcess(`apps/${name}/src/main.ts`, { env });
}

test('under load, a new minor version loses nothing, and a new major one ends in a 503 that says why', async () => {
  await using database = await createTestDatabase({ engine: 'postgres' });
  await using installation = await startInstallation({ databaseUrl: database.url });
  const worker = await installation.startWorker();
  const load = submitAllTheTime(installation);
  await waitUntil(() => load.accepted.length > 20, { until: 'the load has begun' });

  await addMigration('9001_minor', [
    'ALTER TABLE jobs ADD COLUMN mood text',
    'CREATE INDEX jobs_by_mood ON jobs (mood) WHERE mood IS NOT NULL',
    'ALTER TABLE workers ADD COLUMN mood text',
    'CREATE TABLE moods (name text PRIMARY KEY)',
  ]);
  expect((await migrateLedger(database.url, folder)).ran).toEqual(['9001_minor']);
  const before = load.accepted.length;
  await waitUntil(() => load.accepted.length > before + 50, { until: 'jobs are accepted afterwards' });
  await load.stop();

  expect(load.refused.filter(({ status }) => status !== 503)).toEqual([]);
  await waitUntil(async () => (await finished(installation, load.accepted)) === load.accepted.length, {
    until: 'every job that was accepted is done',
    timeoutMs: 30_000,
  });
  expect((await migrateLedger(database.url, MIGRATIONS_DIR)).ran).toEqual([]);

  const newMajor = SCHEMA_VERSION.major + 1;
  await addMigration('9002_major', ['ALTER TABLE jobs RENAME TO asked'], newMajor);
  await migrateLedger(database.url, folder);
  const refused = await submit(installation);
  expect(refused.status).toBe(503);
  expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
  expect(await refused.json()).toMatchObject({
    code: 'schema_mismatch',
    detail: expect.stringContaining(`The schema of the ledger is ${newMajor}.9002`),
  });
  await waitUntil(async () => (await installation.request('/readyz')).status === 503, {
    until: 'the server says that it is not ready',
  });
  expect(await worker.exited).toEqual({ code: 1, signal: null });
  expect(worker.lines.join('\n')).toContain('start that one instead of this');
});

const submit = (installation: Installation) =>
  installation.submit({ type: 'test.append-line', payload: { file: join(folder, 'lines'), n: 1 } });

/** Submits jobs one after the other on four connections until it is stopped. */
function submitAllTheTime(installation: Installation) {
  const accepted: string[] = [];
  const refused: { status: number; body: unknown }[] = [];
  let stopped = false;
  async function client(): Promise<void> {
    while (!stopped) {
      const reply = await submit(installation);
      const body = (await reply.json()) as { id: string };
      if (reply.status === 202) accepted.push(body.id);
      else refused.push({ status: reply.status, body });
    }
  }
  const clients = Promise.all([client(), client(), client(), client()]);
  return {
    accepted,
    refused,
    async stop() {
      stopped = true;
      await clients;
    },
  };
}

async function finished(installation: Installation, ids: string[]): Promise<number> {
  const jobs = await Promise.all(ids.map((id) => installation.readJob(id)));
  return jobs.filter((job) => job.status === 'succeeded').length;
}
