import { sql } from 'kysely';
import { schemaId } from '../../core/job/build.ts';
import type { JobTypeDescription } from '../../core/job/job-type.ts';
import type { Database } from '../connection/connect.ts';

/** What a worker can run; `id` is a hash of it. */
export interface Build {
  id: string;
  types: JobTypeDescription[];
}

/** Writes down what a build can run. One that comes back keeps the time at which it first registered. */
export async function registerBuild(db: Database, { id, types }: Build): Promise<void> {
  const queues = [...new Set(types.map((type) => type.queue))].sort();
  await db.transaction().execute(async (tx) => {
    await tx
      .insertInto('queues')
      .values(queues.map((name) => ({ name })))
      .onConflict((conflict) => conflict.column('name').doNothing())
      .execute();
    await tx
      .insertInto('builds')
      .values({ id })
      .onConflict((conflict) =>
        conflict.column('id').doUpdateSet({ last_lived_at: sql<Date>`now()`, lanes_removed_at: null }),
      )
      .execute();
    await tx
      .insertInto('build_types')
      .values(types.map((type) => buildTypeRow(id, type)))
      .onConflict((conflict) => conflict.columns(['build_id', 'type']).doNothing())
      .execute();
  });
}

function buildTypeRow(buildId: string, type: JobTypeDescription) {
  return {
    build_id: buildId,
    type: type.type,
    queue: type.queue,
    schema_id: schemaId(type.payloadSchema),
    payload_schema: JSON.stringify(type.payloadSchema),
    result_schema: type.resultSchema ? JSON.stringify(type.resultSchema) : null,
    defaults: JSON.stringify(type.defaults),
  };
}

/** Tells which types builds take, each with the id of the schema that it has for the payload. That of a build never changes. */
export async function listTakenTypes(
  db: Database,
  buildIds: readonly string[],
): Promise<Map<string, Map<string, string>>> {
  const rows = await db
    .selectFrom('build_types')
    .select(['build_id', 'type', 'schema_id'])
    .where('build_id', 'in', buildIds)
    .execute();
  const taken = new Map(buildIds.map((buildId) => [buildId, new Map<string, string>()]));
  for (const row of rows) taken.get(row.build_id)?.set(row.type, row.schema_id);
  return taken;
}

/** The builds that ended longer than `forMs` ago and whose lanes may still be in the engine, with their queues. */
export async function listBuildsToRemove(
  db: Database,
  forMs: number,
): Promise<{ id: string; queues: string[] }[]> {
  const { rows } = await sql<{ id: string; queues: string[] }>`
    SELECT b.id, ARRAY(SELECT DISTINCT queue FROM build_types t WHERE t.build_id = b.id) AS queues
    FROM builds b
    WHERE b.lanes_removed_at IS NULL AND ${isGoneFor(forMs)}`.execute(db);
  return rows;
}

/** Remembers that nothing of a build is left in the engine, unless it has come back meanwhile. */
export async function markLanesRemoved(db: Database, id: string, forMs: number): Promise<void> {
  await sql`UPDATE builds b SET lanes_removed_at = now() WHERE b.id = ${id} AND ${isGoneFor(forMs)}`.execute(
    db,
  );
}

/** Forgets builds that ended long ago and of which nothing is in force: a later build has each of their types. */
export async function forgetBuilds(db: Database, olderThanDays: number): Promise<void> {
  await sql`
    DELETE FROM builds b
    WHERE b.lanes_removed_at IS NOT NULL AND ${isGoneFor(olderThanDays * DAY_MS)} AND NOT EXISTS (
      SELECT FROM build_types t WHERE t.build_id = b.id AND NOT EXISTS (
        SELECT FROM build_types other JOIN builds later ON later.id = other.build_id
        WHERE other.type = t.type AND later.last_lived_at > b.last_lived_at))`.execute(db);
}

const DAY_MS = 24 * 3_600_000;

/** A worker that is draining may still work on deliveries, so it counts. */
const isGoneFor = (ms: number) => sql`
  b.last_lived_at < now() - ${ms} * interval '1 ms'
  AND NOT EXISTS (SELECT FROM workers w WHERE w.build_id = b.id AND w.lost_at IS NULL)`;
