import { CompiledQuery, type RawBuilder, sql } from 'kysely';
import type { Database } from './connect.ts';

/** Stands in a statement for a parameter that is made of the items of a batch. */
class Given<Item> {
  readonly of: (items: Item[]) => unknown;

  constructor(of: (items: Item[]) => unknown) {
    this.of = of;
  }
}

/** Builds a parameter of a `batchStatement`. */
export function given<Item>(of: (items: Item[]) => unknown): RawBuilder<unknown> {
  return sql.val(new Given(of));
}

/**
 * Makes what runs a statement about a batch. Its text is put together once: Kysely takes longer for that than for all else
 * of a small batch.
 */
export function batchStatement<Item, Row>(
  statement: RawBuilder<Row>,
): (db: Database, items: Item[]) => Promise<Row[]> {
  let compiled: CompiledQuery | undefined;
  return async (db, items) => {
    compiled ??= statement.compile(db);
    const values = compiled.parameters.map((value) => (value instanceof Given ? value.of(items) : value));
    const { rows } = await db.executeQuery<Row>(CompiledQuery.raw(compiled.sql, values));
    return rows;
  };
}
