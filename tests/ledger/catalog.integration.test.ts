import { schemaId } from '@accepted/shared/core/job/build';
import { newUuid } from '@accepted/shared/core/job/id';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { forgetBuilds } from '@accepted/shared/ledger/workers/builds';
import { listCatalog } from '@accepted/shared/ledger/workers/catalog';
import { markDraining, registerWorker, removeWorker } from '@accepted/shared/ledger/workers/workers';
import { registerTestBuild } from '@accepted/testing/test-build';
import { createTestDatabase, type TestDatabase } from '@accepted/testing/test-database';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loseWorker } from './ledger.ts';

const SCHEMAS = { v1: { title: 'v1' }, v2: { title: 'v2' }, v3: { title: 'v3' } };
type BuildId = keyof typeof SCHEMAS;

let database: TestDatabase;
let db: Database;
beforeEach(async () => {
  database = await createTestDatabase();
  db = database.db;
});
afterEach(() => database.drop());

async function start(build: BuildId): Promise<string> {
  await registerTestBuild(db, ['greet'], { id: build, payloadSchema: SCHEMAS[build] });
  return await startWorker(build);
}

async function startWorker(buildId: string): Promise<string> {
  const id = newUuid();
  await registerWorker(db, { id, hostname: 'test', pid: 1, queues: ['default'], concurrency: 1, buildId });
  return id;
}

const stop = async (workerId: string) => {
  await markDraining(db, workerId);
  await removeWorker(db, workerId);
};
const crash = (workerId: string) => loseWorker(db, workerId);

async function inForce(): Promise<unknown> {
  const [type] = await listCatalog(db);
  return type?.payloadSchema;
}

async function otherSchemas(): Promise<string[]> {
  const [type] = await listCatalog(db);
  return type?.otherSchemas.map(({ id }) => id) ?? [];
}

describe.each([
  ['stops', stop],
  ['crashes', crash],
])('when a build %s', (_, end) => {
  test('the one that is left is in force, whichever it is', async () => {
    const old = await start('v1');
    const fresh = await start('v2');
    expect(await inForce()).toEqual(SCHEMAS.v2);
    expect(await otherSchemas()).toEqual([schemaId(SCHEMAS.v1)]);
    await end(fresh);
    expect(await inForce()).toEqual(SCHEMAS.v1);
    expect(await otherSchemas()).toEqual([]);
    await start('v2');
    await end(old);
    expect(await inForce()).toEqual(SCHEMAS.v2);
  });

  test('the one that lived last stays in force while none lives', async () => {
    const [old, fresh] = [await start('v1'), await start('v2')];
    await end(fresh);
    await end(old);
    // Both fell silent at the same moment where they crashed; only an order of ends tells them apart.
    if (end === stop) expect(await inForce()).toEqual(SCHEMAS.v1);
    await end(await start('v2'));
    if (end === stop) expect(await inForce()).toEqual(SCHEMAS.v2);
    expect(await listCatalog(db)).toHaveLength(1);
  });
});

test('an old build that starts again keeps its place', async () => {
  await stop(await start('v1'));
  await start('v2');
  await start('v1');
  expect(await inForce()).toEqual(SCHEMAS.v2);
});

test('a worker that drains, or one of several that ends, does not decide', async () => {
  await start('v1');
  const [one, two] = [await start('v2'), await startWorker('v2')];
  await stop(one);
  expect(await inForce()).toEqual(SCHEMAS.v2);
  await markDraining(db, two);
  expect(await inForce()).toEqual(SCHEMAS.v1);
});

test('a type that a worker of the version before builds registered is in force until a build has it', async () => {
  await sql`INSERT INTO queues (name) VALUES ('default')`.execute(db);
  await sql`INSERT INTO job_types (type, queue, payload_schema, defaults)
    VALUES ('greet', 'default', '{"title": "before"}', '{}')`.execute(db);
  await sql`INSERT INTO workers (id, hostname, pid, queues, concurrency)
    VALUES (${newUuid()}, 'test', 1, '{default}', 1)`.execute(db);
  expect(await inForce()).toEqual({ title: 'before' });
  const worker = await start('v1');
  expect(await inForce()).toEqual(SCHEMAS.v1);
  await stop(worker);
  expect(await inForce()).toEqual({ title: 'before' });
});

test('what is forgotten of old builds is in force no more, and the last build of a type is never forgotten', async () => {
  for (const build of ['v1', 'v2'] as const) await stop(await start(build));
  await sql`INSERT INTO builds (id) VALUES ('without-types')`.execute(db);
  await sql`UPDATE builds SET lanes_removed_at = now(), last_lived_at = last_lived_at - interval '40 days'`.execute(
    db,
  );
  await forgetBuilds(db, 30);
  const builds = await db.selectFrom('builds').select('id').execute();
  expect(builds).toEqual([{ id: 'v2' }]);
  expect(await inForce()).toEqual(SCHEMAS.v2);
});
