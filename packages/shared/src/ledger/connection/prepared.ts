import { type CompiledQuery, type RawBuilder, sql } from 'kysely';
import type { Database } from './connect.ts';

/** Stands in a statement for a parameter, which is made of what the statement is run with. */
class Slot<Given> {
  readonly of: (given: Given) => unknown;

  constructor(of: (given: Given) => unknown) {
    this.of = of;
  }
}

/**
 * Makes a statement whose text is put together once and not at each run, which for our longest ones costs as much as all
 * else about a batch. `build` marks each parameter by how it is made of what the statement is run with.
 */
export function prepared<Given, Row>(
  build: (parameter: (of: (given: Given) => unknown) => RawBuilder<unknown>) => RawBuilder<Row>,
): (db: Database, given: Given) => Promise<Row[]> {
  let compiled: CompiledQuery<Row> | undefined;
  return async (db, given) => {
    compiled ??= build((of) => sql.val(new Slot(of))).compile(db);
    const parameters = compiled.parameters.map((value) => (value instanceof Slot ? value.of(given) : value));
    const { rows } = await db.executeQuery<Row>({ ...compiled, parameters });
    return rows;
  };
}
