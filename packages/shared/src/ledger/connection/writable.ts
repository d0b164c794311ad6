/**
 * Fails with `read_only_sql_transaction` (25006) where nothing can be written: on a standby, and on a server or for a role
 * that `default_transaction_read_only` is set for. A query that only reads succeeds there, with data that may be old.
 */
export const REQUIRE_WRITABLE = `DO $$ BEGIN
  IF current_setting('transaction_read_only')::boolean THEN
    RAISE 'this server takes no writes: it is a standby, or was made read-only' USING ERRCODE = 'read_only_sql_transaction';
  END IF; END $$`;

/** Tells whether the server has refused a statement because it takes no writes. */
export function isReadOnlyServer(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && error.code === '25006';
}
