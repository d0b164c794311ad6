import { pingDatabase } from '@accepted/shared/ledger/connection/ping';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { LRUCache } from 'lru-cache';
import { Type } from 'typebox';
import { spend } from '../../admission/database-budget.ts';
import { Problem } from '../../http/problem.ts';
import { openAnswers } from '../../schemas/describe-route.ts';

const DATABASE_BUDGET_MS = 900;
/** With the budget, a second from a Postgres that hangs to the first no. */
const SIGN_KEPT_MS = 100;

const schema = {
  summary: 'Should requests come here',
  description:
    'Asks the ledger, and whether its schema is one that this server can use. False first when the server shuts down.',
  tags: ['operations'],
  response: openAnswers(
    {
      200: {
        description: 'They should.',
        schema: Type.Object({ status: Type.Literal('ready', { description: 'Always this.' }) }),
      },
    },
    ['not_ready', 'database_unavailable', 'schema_mismatch'],
  ),
};

/** `GET /readyz`: tells a load balancer whether this server can keep its promises. */
export const getReadyz: FastifyPluginAsyncTypebox = async (app) => {
  // Anybody may ask, as often as he likes: all who ask together share one statement.
  const signs = new LRUCache<'sign', true>({
    max: 1,
    ttl: SIGN_KEPT_MS,
    fetchMethod: async (): Promise<true> => {
      await spend({ remainingMs: DATABASE_BUDGET_MS }, pingDatabase(app.pools.health));
      return true;
    },
  });
  app.get('/readyz', { schema, logLevel: 'fatal' }, async () => {
    if (!app.readiness.accepting) throw new Problem('not_ready', { headers: { 'retry-after': '5' } });
    await signs.fetch('sign');
    const mismatch = app.schemaGuard.problem();
    if (mismatch) throw mismatch;
    return { status: 'ready' };
  });
};
