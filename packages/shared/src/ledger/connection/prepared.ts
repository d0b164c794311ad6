import { CompiledQuery, type RawBuilder, sql } from 'kysely';
import type { Database } from './connect.ts';

/** Stands in a prepared statement for a parameter. */
class Slot<Given> {
  readonly of: (given: Given) => unknown;

  constructor(of: (given: Given) => unknown) {
    this.of = of;
  }
}

/** Builds a parameter of a `prepared` statement: how it is made of what the statement is run with. */
export function given<Given>(of: (given: Given) => unknown): RawBuilder<unknown> {
  return sql.val(new Slot(of));
}

/**
 * Makes a statement whose text is put together once and not at each run: for a small batch Kysely takes longer for that than
 * for all else.
 */
export function prepared<Given, Row>(
  build: () => RawBuilder<Row>,
): (db: Database, given: Given) => Promise<Row[]> {
  let compiled: CompiledQuery | undefined;
  return async (db, given) => {
    compiled ??= build().compile(db);
    const values = compiled.parameters.map((value) => (value instanceof Slot ? value.of(given) : value));
    const { rows } = await db.executeQuery<Row>(CompiledQuery.raw(compiled.sql, values));
    return rows;
  };
}
