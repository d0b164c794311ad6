import { OLDEST_POSTGRES, UnsupportedServerError } from '../../core/servers/unsupported-server.ts';
import { ImpatientClient } from './impatient-client.ts';
import { retryConflicts } from './retry-conflicts.ts';

/**
 * Asks for the version, and has a commit wait for the disk where the role or the database says otherwise: a 202 is a
 * promise. What waits for more, such as `remote_apply`, stays. `transaction_timeout` is there from PostgreSQL 17 on, and
 * a connection that names a setting that is not there is refused.
 */
const SETTLE = `
  SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS version,
    CASE WHEN current_setting('synchronous_commit') = 'off' THEN set_config('synchronous_commit', 'on', false) END,
    CASE WHEN current_setting('transaction_timeout', true) <> '0' THEN set_config('transaction_timeout', '0', false) END`;

/**
 * Is a connection to a server that is known to be new enough, on which a statement that lost against another one is
 * tried again. Its URL comes from `withSettings`.
 */
export class SettledClient extends ImpatientClient {
  // pg has many overloads; only these forms are used here, and pool and driver see the others unchanged.
  // biome-ignore lint/suspicious/noExplicitAny: the overloads of pg cannot be written as one signature without it.
  override connect(callback?: any): any {
    const connected = this.#connectAndSettle();
    if (typeof callback !== 'function') return connected;
    connected.then((client) => callback(null, client), callback);
  }

  // biome-ignore lint/suspicious/noExplicitAny: the overloads of pg cannot be written as one signature without it.
  override query(...args: any[]): any {
    // What is more than text and values, such as a cursor, has its own way with the connection.
    if (typeof args[0]?.submit === 'function') return super.query(...args);
    const callback = args.at(-1);
    if (typeof callback !== 'function') return this.#queryAgain(args);
    this.#queryAgain(args.slice(0, -1)).then((result) => callback(null, result), callback);
  }

  async #connectAndSettle(): Promise<this> {
    // Whoever waits is told by the rejection; nobody else listens yet.
    const ignore = () => undefined;
    this.on('error', ignore);
    try {
      await super.connect();
      const { rows } = await super.query(SETTLE);
      requireVersion(rows[0]);
      return this;
    } catch (error) {
      void this.end().catch(ignore);
      throw error;
    } finally {
      this.off('error', ignore);
    }
  }

  /** In a transaction it is the whole of it that has to be tried again, by those who know what that is. */
  #queryAgain(args: unknown[]): Promise<unknown> {
    return retryConflicts(
      () => super.query(...args),
      () => this.getTransactionStatus() === 'I',
    );
  }
}

function requireVersion({ number, version }: { number: number; version: string }): void {
  const oldest = OLDEST_POSTGRES;
  if (number >= Number(oldest) * 10_000) return;
  throw new UnsupportedServerError({ product: 'PostgreSQL', oldest, version, setting: 'DATABASE_URL' });
}
