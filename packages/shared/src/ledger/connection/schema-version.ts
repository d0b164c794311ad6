import { sql } from 'kysely';
import type { Database } from './connect.ts';

/**
 * Names a state of the ledger's schema. `minor` is the number of the last migration. `major` counts the migrations
 * after which the code of before must not touch the ledger; between two of them, old code works on a newer schema.
 */
export interface SchemaVersion {
  major: number;
  minor: number;
}

/** The schema that this code is written for. */
export const SCHEMA_VERSION: SchemaVersion = { major: 7, minor: 44 };

/** Tells that code and ledger do not fit together; `message` is one sentence that says what to do. */
export interface SchemaMismatch {
  kind: 'behind' | 'ahead';
  message: string;
}

/** Asks the ledger whether this code fits it: `undefined` when it does. Rejects when Postgres does not answer. */
export async function findSchemaMismatch(db: Database): Promise<SchemaMismatch | undefined> {
  return judgeSchema(await readSchemaVersion(db), SCHEMA_VERSION);
}

/** Judges the schema that was found; `undefined` is one from before versions were kept, or none at all. */
export function judgeSchema(
  found: SchemaVersion | undefined,
  needed: SchemaVersion,
): SchemaMismatch | undefined {
  if (found && found.major > needed.major) {
    return {
      kind: 'ahead',
      message: `The schema of the ledger is ${text(found)}, which only a newer version of Accepted can use: start that one instead of this, which is made for ${text(needed)}.`,
    };
  }
  if (found && found.major === needed.major && found.minor >= needed.minor) return undefined;
  const state = found ? `is ${text(found)}` : 'is missing or older';
  return {
    kind: 'behind',
    message: `The schema of the ledger ${state}, and this version of Accepted needs ${text(needed)}: run \`npm run migrate\`.`,
  };
}

function text({ major, minor }: SchemaVersion): string {
  return `${major}.${minor}`;
}

const UNDEFINED_TABLE = '42P01';

/** Reads which schema the ledger has; `undefined` when it has none, or one from before versions were kept. */
export async function readSchemaVersion(db: Database): Promise<SchemaVersion | undefined> {
  try {
    const { rows } =
      await sql<SchemaVersion>`SELECT major, minor FROM schema_version WHERE is_only_row`.execute(db);
    return rows[0];
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === UNDEFINED_TABLE) return undefined;
    throw error;
  }
}

/**
 * Errors of a statement that does not fit the schema, such as of a table or column that is not there (Appendix A of the
 * manual of PostgreSQL, class 42, and the checks of class 23 that new columns bring).
 */
const DOES_NOT_FIT = /^(42P01|42P10|42703|42704|42804|42883|23502)$/;

/** Tells whether an error may come from a ledger that was migrated under a running program. */
export function mayBeSchemaMismatch(error: unknown): boolean {
  return error instanceof Error && 'code' in error && DOES_NOT_FIT.test(String(error.code));
}
