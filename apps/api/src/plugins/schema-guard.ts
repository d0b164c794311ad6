import { findSchemaMismatch, type SchemaMismatch } from '@accepted/shared/ledger/connection/schema-version';
import fp from 'fastify-plugin';
import { spend } from '../admission/database-budget.ts';
import { Problem } from '../http/problem.ts';

/** Knows whether this server can use the ledger as it is now; a migration may run under it. */
export interface SchemaGuard {
  /** Answers `schema_mismatch` when the last look found one; never waits. */
  problem(): Problem | undefined;
  /** Looks now, and answers like `problem`. Rejects when Postgres does not answer in time. */
  look(): Promise<Problem | undefined>;
}

declare module 'fastify' {
  interface FastifyInstance {
    schemaGuard: SchemaGuard;
  }
}

const LOOK_EVERY_MS = 1_000;
const LOOK_BUDGET_MS = 900;

/** Refuses requests, and says why, while the ledger has a schema that this version of the server cannot use. */
export const schemaGuard = fp(async (app) => {
  let found: SchemaMismatch | undefined;

  async function look(): Promise<Problem | undefined> {
    const earlier = found;
    found = await spend({ remainingMs: LOOK_BUDGET_MS }, findSchemaMismatch(app.pools.admission));
    if (found && found.message !== earlier?.message) app.log.error(found.message);
    return problem();
  }

  function problem(): Problem | undefined {
    if (!found) return undefined;
    return new Problem('schema_mismatch', { detail: found.message, headers: { 'retry-after': '5' } });
  }

  app.decorate('schemaGuard', { problem, look });
  // What an outage hides now, the next look finds.
  const timer = setInterval(() => void look().catch(() => undefined), LOOK_EVERY_MS).unref();
  app.addHook('onClose', async () => clearInterval(timer));
});
