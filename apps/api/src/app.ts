import { createSecretBox } from '@accepted/shared/core/secrets/secret-box';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { bullBoard } from './admin/bull-board.ts';
import { backlogBounds } from './admission/backlog-bounds.ts';
import { deadlines } from './admission/deadlines.ts';
import { decisions } from './admission/decisions.ts';
import { hotspots } from './admission/hotspots.ts';
import { rates } from './admission/rates.ts';
import { writing } from './admission/writing.ts';
import { BOUNDS } from './bounds.ts';
import { catalog } from './catalog/catalog.ts';
import { waiting } from './changes/waiting.ts';
import { checkThreads } from './checks/own-check-threads.ts';
import { type Config, poolSize, publicUrl as publicUrlOf } from './config.ts';
import { createClients } from './connections/clients.ts';
import { type BoundedServerOptions, createBoundedServer } from './connections/create-server.ts';
import { createDoors } from './connections/doors.ts';
import { createTurns } from './connections/turns.ts';
import { forecasts } from './forecasts/forecasts.ts';
import { predictionErrors } from './forecasts/prediction-errors.ts';
import { answerBrokenHttp, answerFrameworkError } from './http/broken-requests.ts';
import { originForm } from './http/origin-form.ts';
import { requestIdOf } from './http/request-id.ts';
import { openApi } from './openapi/openapi.ts';
import { compression } from './plugins/compression.ts';
import { crossOrigin } from './plugins/cross-origin.ts';
import { database } from './plugins/database.ts';
import { keylessPace } from './plugins/keyless-pace.ts';
import { problemDetails } from './plugins/problem-details.ts';
import { readiness } from './plugins/readiness.ts';
import { responseHeaders } from './plugins/response-headers.ts';
import { safeJson } from './plugins/safe-json.ts';
import { schemaGuard } from './plugins/schema-guard.ts';
import { turns } from './plugins/turns.ts';
import { unreadReplies } from './plugins/unread-replies.ts';
import { validation } from './plugins/validation.ts';
import type { Pools } from './pools/pools.ts';
import { getIndex } from './routes/operations/get-index.ts';
import { getLivez } from './routes/operations/get-livez.ts';
import { getOpenApi } from './routes/operations/get-openapi.ts';
import { getReadyz } from './routes/operations/get-readyz.ts';
import { getProblem } from './routes/problems/get-problem.ts';
import { queueOutlooks } from './routes/queues/queue-outlooks.ts';
import { queueStatistics } from './routes/queues/queue-statistics.ts';
import { v1 } from './routes/v1.ts';
import { submitter } from './submit/submitter.ts';

/** As long as a request may wait for another one. */
const SLICE = { ms: 5, count: 32 };
/** A closed loop of 64 clients is never refused, nor a burst of as many and 256 more. */
const DOORS = { slice: SLICE, atOnce: { lateMs: 10, least: 16, first: 64, most: 1_000 }, mostWaiting: 256 };

/** What the app works with and does not own: whoever opened it ends it after `app.close()`. */
export interface Resources {
  pools: Pools;
  logger: FastifyBaseLogger;
}

/** Builds the HTTP server without listening. It never touches Redis: accepting a job needs Postgres alone. */
export async function buildApp(
  { pools, logger }: Resources,
  config: Config,
  bounds = BOUNDS,
): Promise<FastifyInstance> {
  const publicUrl = publicUrlOf(config);
  const maxWaitSeconds = config.MAX_WAIT_SECONDS;
  const hasDocs = config.API_DOCS === 'on';
  const inTurns = { turns: createTurns(SLICE), clients: createClients(), doors: createDoors(DOORS) };
  const app = createServer(logger, config, {
    ...inTurns,
    onLate: (problem) => app.decisions.refused(problem),
  });

  await app.register(responseHeaders);
  // Before what counts the bytes of answers.
  await app.register(compression);
  await app.register(unreadReplies, bounds.unreadReplies);
  await app.register(turns, inTurns);
  await app.register(keylessPace, bounds.keylessPace);
  await app.register(crossOrigin, { origins: config.CORS_ORIGINS });
  await app.register(problemDetails, { publicUrl });
  await app.register(validation);
  await app.register(checkThreads);
  await app.register(safeJson);
  await app.register(openApi, { serverUrl: config.PUBLIC_URL, showsDocs: hasDocs });

  const { tenantConnections, bodies, databaseBudgetMs } = bounds;
  await app.register(database, { pools, connections: poolSize(config), tenantConnections });
  await app.register(schemaGuard);
  await app.register(readiness);
  await app.register(catalog, { maxBodyBytes: config.MAX_BODY_BYTES });
  await app.register(decisions);
  await app.register(hotspots);
  await app.register(rates);
  await app.register(backlogBounds);
  await app.register(queueStatistics);
  await app.register(queueOutlooks);
  await app.register(forecasts);
  await app.register(predictionErrors);
  await app.register(deadlines);
  await app.register(writing, { budgetMs: config.DATABASE_LATENCY_BUDGET_MS, ...bounds.writing });
  await app.register(submitter);
  await app.register(waiting, { databaseUrl: config.DATABASE_URL });

  await app.register(async (open) => {
    await open.register(getLivez);
    await open.register(getReadyz);
    await open.register(getIndex, { hasDocs });
    if (hasDocs) await open.register(getOpenApi);
    await open.register(getProblem);
  });

  if (config.ADMIN_PASSWORD) {
    await app.register(bullBoard, {
      password: config.ADMIN_PASSWORD,
      databaseUrl: config.DATABASE_URL,
      redisUrl: config.REDIS_URL,
      publicUrl,
    });
  }

  const secretBox = createSecretBox(config.SECRETS_KEY);
  await app.register(v1, {
    maxWaitSeconds,
    maxBodyBytes: config.MAX_BODY_BYTES,
    bodies,
    databaseBudgetMs,
    secretBox,
    startObjectiveMs: config.START_OBJECTIVE_MS,
  });

  return app;
}

/** Bounds everything that a slow or hostile client could otherwise hold open: Fastify's own default is no limit. */
function createServer(
  logger: FastifyBaseLogger,
  config: Config,
  atDoor: Pick<BoundedServerOptions, 'doors' | 'clients' | 'onLate'>,
) {
  const publicUrl = publicUrlOf(config);
  return fastify({
    loggerInstance: logger,
    bodyLimit: config.MAX_BODY_BYTES,
    serverFactory: (handle) =>
      createBoundedServer(handle, {
        http: {
          headersTimeout: Math.min(10_000, config.REQUEST_TIMEOUT_MS),
          connectionsCheckingInterval: Math.min(1_000, config.REQUEST_TIMEOUT_MS),
        },
        keepAliveTimeoutMs: 10_000,
        requestTimeoutMs: config.REQUEST_TIMEOUT_MS,
        maxConnectionsPerAddress: config.MAX_CONNECTIONS_PER_ADDRESS,
        publicUrl,
        ...atDoor,
      }),
    trustProxy: config.TRUST_PROXY.length > 0 && [...config.TRUST_PROXY],
    requestIdHeader: false,
    logController: new LogController({ requestIdLogLabel: 'requestId' }),
    genReqId: requestIdOf,
    rewriteUrl: ({ url = '' }) => originForm(url),
    // While the server closes, requests on open connections are still answered; a 503 of Fastify's own is no problem+json.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 200 },
    frameworkErrors: (error, request, reply) => answerFrameworkError(error, publicUrl, request, reply),
    clientErrorHandler: (error, socket) => answerBrokenHttp(error, publicUrl, socket),
  }).withTypeProvider<TypeBoxTypeProvider>();
}
