import type pg from 'pg';

/** What moves, and what is told of it: all that a soak must not see grow. */
const TABLES = ['ready', 'blocked', 'due', 'in_flight', 'arrivals', 'landings', 'queues', 'passes'] as const;

export interface TableSizes {
  /** Of the tables themselves. */
  heapBytes: number;
  /** Of their indexes, all together. */
  indexBytes: number;
  vacuums: number;
}

/** Measures the tables, all together. */
export async function measureTables(postgres: pg.Client): Promise<TableSizes> {
  const { rows } = await postgres.query<TableSizes>(
    `SELECT sum(pg_relation_size(relid))::float8 AS "heapBytes", sum(pg_indexes_size(relid))::float8 AS "indexBytes",
       sum(autovacuum_count)::float8 AS vacuums
     FROM pg_stat_user_tables WHERE relname = ANY($1)`,
    [TABLES],
  );
  const [row] = rows;
  if (!row) throw new Error('The tables cannot be measured.');
  return row;
}
