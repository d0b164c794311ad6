import { type RawBuilder, sql } from 'kysely';

/** Says how one column of a batch is made from an item; `type` is the PostgreSQL type of one value. */
export interface BatchColumn<Item> {
  name: string;
  type: string;
  value: (item: Item) => unknown;
}

/**
 * Builds `unnest($1::uuid[], …) AS <alias> (id, …)`: a whole batch as one array parameter a column, so that the
 * text of the statement is the same for every size of batch.
 */
export function unnestBatch<Item>(
  alias: string,
  columns: BatchColumn<Item>[],
  items: Item[],
): RawBuilder<unknown> {
  const arrays = columns.map((column) => {
    const values = items.map((item) => column.value(item) ?? null);
    return sql`${sql.val(values)}::${sql.raw(column.type)}[]`;
  });
  const names = columns.map((column) => sql.ref(column.name));
  return sql`unnest(${sql.join(arrays)}) AS ${sql.ref(alias)} (${sql.join(names)})`;
}

/**
 * Puts a condition into a form that no partial index follows from. A batch names its jobs by id; a partial index that
 * was all but empty when the statement was planned would look cheaper than the primary key, and not be empty for long.
 */
export function byPrimaryKey(condition: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`CASE WHEN ${condition} THEN true ELSE false END`;
}
