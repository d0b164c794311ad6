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
  return unnestArrays(alias, columns, (column) => sql.val(arrayOf(column, items)));
}

/** Builds the same of arrays that are given otherwise, such as in a prepared statement. */
export function unnestArrays<Item>(
  alias: string,
  columns: BatchColumn<Item>[],
  array: (column: BatchColumn<Item>) => RawBuilder<unknown>,
): RawBuilder<unknown> {
  const arrays = columns.map((column) => sql`${array(column)}::${sql.raw(column.type)}[]`);
  const names = columns.map((column) => sql.ref(column.name));
  return sql`unnest(${sql.join(arrays)}) AS ${sql.ref(alias)} (${sql.join(names)})`;
}

/** Words and numbers, which stand in an array as they are. */
const BARE = /^(?!null$)[\w-]+$/i;

/** Writes a column of a batch as the text of a PostgreSQL array: pg's own way takes several times as long for it. */
export function arrayOf<Item>({ value }: BatchColumn<Item>, items: Item[]): unknown {
  const values = items.map((item) => value(item) ?? null);
  if (values.some((one) => typeof one === 'object' && one !== null)) return values;
  return `{${values.map(element).join(',')}}`;
}

function element(value: unknown): string {
  if (value === null) return 'NULL';
  const text = String(value);
  return typeof value !== 'string' || BARE.test(text) ? text : quote(text);
}

function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/**
 * Builds `column = value` in a form that a look into an index of the column can answer for each value, and nothing else. A
 * batch names its rows by their key; where the table was empty when the statement was planned, a walk through all of it
 * looked just as cheap, and is not for long. Such a walk is only thought of where a merge join could use its order, and no
 * merge join takes this form.
 */
export function isAt(column: string, value: string): RawBuilder<boolean> {
  return sql<boolean>`${sql.ref(column)} = ANY (ARRAY[${sql.ref(value)}])`;
}

/** The same for the key of a job. Its first column is enough; of two, PostgreSQL 15 and 16 may look for the first alone. */
export function isJobAt(
  table: 'jobs' | 'current_jobs' | 'ready' | 'blocked',
  found: string,
): RawBuilder<boolean> {
  const ownId = sql.ref(table === 'ready' || table === 'blocked' ? `${table}.job_id` : `${table}.id`);
  return sql<boolean>`${isAt(`${table}.tenant_id`, `${found}.tenant_id`)} AND ${ownId} = ${sql.ref(`${found}.job_id`)}`;
}
