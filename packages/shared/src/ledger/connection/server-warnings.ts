import { sql } from 'kysely';
import type { Database } from './connect.ts';
import { RELIED_ON } from './session-settings.ts';

/** What a server that is switched off and on again needs to have kept all that it has acknowledged. */
const DURABLE = { fsync: 'on', full_page_writes: 'on' };

/** Each pool has its own values of these: see `connect.ts`. */
const OF_EACH_POOL = new Set([
  'statement_timeout',
  'idle_in_transaction_session_timeout',
  'plan_cache_mode',
  'enable_seqscan',
  'enable_hashjoin',
  'enable_mergejoin',
]);

/**
 * Lists, a sentence each, what is wrong with the settings of the session that it asks on: those that only the server's
 * operator can change, and those of ours that have not arrived, as behind a pooler that leaves them out.
 */
async function listServerWarnings(db: Database): Promise<string[]> {
  const found = await readSettings(db, [...Object.keys(DURABLE), ...Object.keys(RELIED_ON)]);
  const differing = (wanted: Readonly<Record<string, string>>) =>
    Object.entries(wanted).filter(([name, value]) => !OF_EACH_POOL.has(name) && found.get(name) !== value);
  return [
    ...differing(DURABLE).map(
      ([name]) =>
        `Postgres runs with ${name} = ${found.get(name)}: a crash of its machine can lose jobs that were answered with 202.`,
    ),
    ...differing(RELIED_ON).map(
      ([name, value]) =>
        `A connection has ${name} = ${found.get(name)} where Accepted needs ${value}: a pooler has left it out, so set it with ALTER ROLE … SET ${name} = '${value}'.`,
    ),
  ];
}

async function readSettings(db: Database, names: string[]): Promise<Map<string, string>> {
  const { rows } = await sql<{ name: string; value: string | null }>`
    SELECT name, current_setting(name, true) AS value FROM unnest(${names}::text[]) AS name`.execute(db);
  return new Map(rows.map(({ name, value }) => [name, value ?? 'not there']));
}

/** Tells the warnings, once; a server that is away tells of itself in other ways. */
export async function warnAboutServer(db: Database, warn: (sentence: string) => void): Promise<void> {
  const warnings = await listServerWarnings(db).catch(() => []);
  for (const sentence of warnings) warn(sentence);
}
