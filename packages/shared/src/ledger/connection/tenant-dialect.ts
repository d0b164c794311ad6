import { AsyncLocalStorage } from 'node:async_hooks';
import {
  CompiledQuery,
  type Driver,
  PostgresDialect,
  type PostgresDialectConfig,
  PostgresDriver,
  type TransactionSettings,
} from 'kysely';

/** For whom the transaction that is being begun works; nobody in particular when it is not set. */
export const beginningFor = new AsyncLocalStorage<string | undefined>();

type PostgresConnection = Parameters<PostgresDriver['rollbackTransaction']>[0];

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** PostgreSQL as Kysely knows it, but the transaction of a tenant begins, and takes its role, in one round trip. */
export class TenantDialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig;

  constructor(config: PostgresDialectConfig) {
    super(config);
    this.#config = config;
  }

  override createDriver(): Driver {
    return new TenantDriver(this.#config);
  }
}

class TenantDriver extends PostgresDriver {
  override async beginTransaction(
    connection: Parameters<PostgresDriver['beginTransaction']>[0],
    settings: TransactionSettings,
  ): Promise<void> {
    const tenantId = beginningFor.getStore();
    if (tenantId === undefined) return await super.beginTransaction(connection, settings);
    try {
      await connection.executeQuery(CompiledQuery.raw(beginFor(tenantId)));
    } catch (error) {
      // Kysely ends only what has begun, and the next user of the connection must not find it in a failed transaction.
      await this.rollbackTransaction(connection as PostgresConnection);
      throw error;
    }
  }
}

/** Role and tenant end with the transaction. Several statements at once cannot have parameters, so the id is checked. */
function beginFor(tenantId: string): string {
  if (!UUID.test(tenantId)) throw new TypeError('The id of a tenant must be a UUID.');
  return `BEGIN; SET LOCAL ROLE accepted_tenant; SET LOCAL accepted.tenant_id = '${tenantId}'`;
}
