import { AsyncLocalStorage } from 'node:async_hooks';
import {
  CompiledQuery,
  type Driver,
  PostgresDialect,
  type PostgresDialectConfig,
  PostgresDriver,
  type TransactionSettings,
} from 'kysely';

/** What a transaction of a tenant is to be. */
export interface TenantTransaction {
  tenantId: string;
  /**
   * Has the plan of each prepared statement made once a connection, for any values, and through indexes, as its tables may be
   * empty just then. For statements that look a job up by its key: what they are made of, a view over many partitions, takes
   * ten times as long to plan as to run.
   */
  keepsPlans: boolean;
  /** Has all statements see the ledger as it was at the first one. */
  isOneSnapshot: boolean;
  /**
   * For a statement that is alone and only reads. Where the connection takes the next statement before the last one is answered
   * (`pipeline`), it goes to the server together with the beginning, and nobody waits for the end: one round trip instead of three.
   */
  isOneRead: boolean;
}

const KEPT_PLANS = {
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
};

/** For whom the transaction that is being begun works; nobody in particular when it is not set. */
export const beginningFor = new AsyncLocalStorage<TenantTransaction | undefined>();

type PostgresConnection = Parameters<PostgresDriver['rollbackTransaction']>[0];

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export interface TenantDialectConfig extends PostgresDialectConfig {
  /** Whether the connections of the pool have pg's `pipeline`. */
  pipeline: boolean;
}

/** PostgreSQL as Kysely knows it, but the transaction of a tenant begins, and takes its role, in one round trip. */
export class TenantDialect extends PostgresDialect {
  readonly #config: TenantDialectConfig;

  constructor(config: TenantDialectConfig) {
    super(config);
    this.#config = config;
  }

  override createDriver(): Driver {
    return new TenantDriver(this.#config);
  }
}

class TenantDriver extends PostgresDriver {
  readonly #pipeline: boolean;
  /** Transactions whose beginning is not known to have gone well. */
  readonly #beginning = new WeakMap<object, Promise<unknown>>();

  constructor({ pipeline, ...config }: TenantDialectConfig) {
    super(config);
    this.#pipeline = pipeline;
  }

  override async beginTransaction(
    connection: Parameters<PostgresDriver['beginTransaction']>[0],
    settings: TransactionSettings,
  ): Promise<void> {
    const tenants = beginningFor.getStore();
    if (!tenants) return await super.beginTransaction(connection, settings);
    const begun = connection.executeQuery(CompiledQuery.raw(beginFor(tenants)));
    if (this.#pipeline && tenants.isOneRead) {
      begun.catch(() => undefined);
      this.#beginning.set(connection, begun);
      return;
    }
    try {
      await begun;
    } catch (error) {
      // Kysely ends only what has begun, and the next user of the connection must not find it in a failed transaction.
      await this.rollbackTransaction(connection as PostgresConnection);
      throw error;
    }
  }

  override async commitTransaction(connection: PostgresConnection): Promise<void> {
    const begun = this.#beginning.get(connection);
    if (!begun) return await super.commitTransaction(connection);
    this.#beginning.delete(connection);
    // What was read outside of the tenant's role is told to nobody.
    await begun;
    // There is nothing to be lost; whoever has the connection next is behind it, and told if it breaks.
    super.commitTransaction(connection).catch(() => undefined);
  }

  override async rollbackTransaction(connection: PostgresConnection): Promise<void> {
    this.#beginning.delete(connection);
    await super.rollbackTransaction(connection);
  }
}

/** All of it ends with the transaction. Several statements at once cannot have parameters, so the id is checked. */
function beginFor({ tenantId, keepsPlans, isOneSnapshot }: TenantTransaction): string {
  if (!UUID.test(tenantId)) throw new TypeError('The id of a tenant must be a UUID.');
  const plans = Object.entries(keepsPlans ? KEPT_PLANS : {}).map(
    ([name, value]) => `SET LOCAL ${name} = ${value}`,
  );
  return [
    isOneSnapshot ? 'BEGIN ISOLATION LEVEL REPEATABLE READ' : 'BEGIN',
    'SET LOCAL ROLE accepted_tenant',
    `SET LOCAL accepted.tenant_id = '${tenantId}'`,
    ...plans,
  ].join('; ');
}
