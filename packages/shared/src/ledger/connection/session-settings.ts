/**
 * What the code relies on, whatever `ALTER DATABASE … SET` and `ALTER ROLE … SET` say. Everything else, such as
 * `work_mem`, the costs of pages and `default_transaction_read_only`, is the operator's.
 */
export const RELIED_ON: Readonly<Record<string, string>> = {
  // How values are written and read.
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  standard_conforming_strings: 'on',
  bytea_output: 'hex',
  extra_float_digits: '1',
  array_nulls: 'on',
  // What statements mean.
  transform_null_equals: 'off',
  gin_fuzzy_search_limit: '0',
  default_transaction_isolation: 'read committed',
  default_transaction_deferrable: 'off',
  row_security: 'on',
  // How long they may take: who needs a limit sets it.
  statement_timeout: '0',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  idle_session_timeout: '0',
  // How they are planned. To compile a plan takes longer than any of ours runs.
  jit: 'off',
  plan_cache_mode: 'auto',
  enable_seqscan: 'on',
  enable_indexscan: 'on',
  enable_indexonlyscan: 'on',
  enable_bitmapscan: 'on',
  enable_tidscan: 'on',
  enable_nestloop: 'on',
  enable_hashjoin: 'on',
  enable_mergejoin: 'on',
  enable_hashagg: 'on',
  enable_sort: 'on',
  enable_incremental_sort: 'on',
  enable_material: 'on',
  enable_memoize: 'on',
  enable_partition_pruning: 'on',
};

/** The schema of the ledger's tables. One that the URL names in its `options` is used instead. */
const LEDGER_SCHEMA = 'public';

/**
 * Puts the settings of a session into the URL of its connection, from where Postgres takes them before the first
 * statement, and over those of database and role. All that connects to Postgres gets its URL from here. `more` is on top.
 */
export function withSettings(databaseUrl: string, more: Readonly<Record<string, string>> = {}): string {
  const [address = '', query = ''] = databaseUrl.split('?', 2);
  const parameters = new URLSearchParams(query);
  const given = parameters.getAll('options');
  const options = [
    ...commandLine({ search_path: LEDGER_SCHEMA }),
    ...given,
    ...commandLine({ ...RELIED_ON, ...more }),
  ];
  parameters.delete('options');
  // A space as `+` would reach Postgres as one.
  const others = parameters.toString().replaceAll('+', '%20');
  return `${address}?${others}${others && '&'}options=${encodeURIComponent(options.join(' '))}`;
}

/** Postgres splits `options` at spaces, and at none after a backslash. */
function commandLine(settings: Readonly<Record<string, string>>): string[] {
  return Object.entries(settings).map(([name, value]) => `-c ${name}=${value.replaceAll(' ', '\\ ')}`);
}
