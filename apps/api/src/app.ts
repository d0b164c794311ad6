import type { Database } from '@accepted/shared/database/connect';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { type Config, publicUrl as publicUrlOf } from './config.ts';
import { answerBrokenHttp, answerFrameworkError } from './http/broken-requests.ts';
import { requestIdOf } from './http/request-id.ts';
import { authentication } from './plugins/authentication.ts';
import { bullBoard } from './plugins/bull-board.ts';
import { catalog } from './plugins/catalog.ts';
import { database } from './plugins/database.ts';
import { estimates } from './plugins/estimates.ts';
import { metrics } from './plugins/metrics.ts';
import { openApi } from './plugins/openapi.ts';
import { problemDetails } from './plugins/problem-details.ts';
import { queueStatistics } from './plugins/queue-statistics.ts';
import { readiness } from './plugins/readiness.ts';
import { responseHeaders } from './plugins/response-headers.ts';
import { safeJson } from './plugins/safe-json.ts';
import { schemaGuard } from './plugins/schema-guard.ts';
import { submitter } from './plugins/submitter.ts';
import { validation } from './plugins/validation.ts';
import { waiting } from './plugins/waiting.ts';
import { createApiKey } from './routes/api-keys/create-api-key.ts';
import { listApiKeys } from './routes/api-keys/list-api-keys.ts';
import { revokeApiKey } from './routes/api-keys/revoke-api-key.ts';
import { listAuditLog } from './routes/audit-log/list-audit-log.ts';
import { cancelBulkReplay } from './routes/dead-letters/cancel-bulk-replay.ts';
import { createBulkReplay } from './routes/dead-letters/create-bulk-replay.ts';
import { discardDeadLetter } from './routes/dead-letters/discard-dead-letter.ts';
import { discardDeadLetters } from './routes/dead-letters/discard-dead-letters.ts';
import { getBulkReplay } from './routes/dead-letters/get-bulk-replay.ts';
import { getDeadLetter } from './routes/dead-letters/get-dead-letter.ts';
import { listDeadLetterGroups } from './routes/dead-letters/list-dead-letter-groups.ts';
import { listDeadLetters } from './routes/dead-letters/list-dead-letters.ts';
import { replayDeadLetter } from './routes/dead-letters/replay-dead-letter.ts';
import { listJobTypes } from './routes/job-types/list-job-types.ts';
import { cancelJob } from './routes/jobs/cancel-job.ts';
import { copyJob } from './routes/jobs/copy-job.ts';
import { getJob } from './routes/jobs/get-job.ts';
import { getJobResult } from './routes/jobs/get-job-result.ts';
import { listAttempts } from './routes/jobs/list-attempts.ts';
import { listJobs } from './routes/jobs/list-jobs.ts';
import { rescheduleJob } from './routes/jobs/reschedule-job.ts';
import { submitJob } from './routes/jobs/submit-job.ts';
import { getIndex } from './routes/operations/get-index.ts';
import { getLivez } from './routes/operations/get-livez.ts';
import { getMetrics } from './routes/operations/get-metrics.ts';
import { getOpenApi } from './routes/operations/get-openapi.ts';
import { getReadyz } from './routes/operations/get-readyz.ts';
import { getProblem } from './routes/problems/get-problem.ts';
import { getQueue } from './routes/queues/get-queue.ts';
import { listQueues } from './routes/queues/list-queues.ts';

/** What the app works with and does not own: whoever opened it ends it after `app.close()`. */
export interface Resources {
  db: Database;
  logger: FastifyBaseLogger;
}

/** Builds the HTTP server without listening. It never touches Redis: accepting a job needs Postgres alone. */
export async function buildApp({ db, logger }: Resources, config: Config): Promise<FastifyInstance> {
  const publicUrl = publicUrlOf(config);
  const maxWaitSeconds = config.MAX_WAIT_SECONDS;
  const hasDocs = config.API_DOCS === 'on';
  const app = createServer(logger, config);

  await app.register(responseHeaders);
  await app.register(problemDetails, { publicUrl });
  await app.register(validation);
  await app.register(safeJson);
  await app.register(openApi, { serverUrl: config.PUBLIC_URL, showsDocs: hasDocs });

  await app.register(database, { db });
  await app.register(schemaGuard);
  await app.register(readiness);
  await app.register(catalog, { maxBodyBytes: config.MAX_BODY_BYTES });
  await app.register(estimates);
  await app.register(queueStatistics);
  await app.register(metrics);
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

  await app.register(async (v1) => {
    v1.addHook('onRequest', (_request, _reply, done) => done(app.schemaGuard.problem()));
    await v1.register(authentication);
    await v1.register(submitJob, { maxWaitSeconds });
    await v1.register(listJobs);
    await v1.register(getJob, { maxWaitSeconds });
    await v1.register(getJobResult);
    await v1.register(listAttempts);
    await v1.register(cancelJob);
    await v1.register(rescheduleJob);
    await v1.register(copyJob, { maxWaitSeconds });
    await v1.register(listDeadLetters);
    await v1.register(listDeadLetterGroups);
    await v1.register(getDeadLetter);
    await v1.register(replayDeadLetter);
    await v1.register(discardDeadLetter);
    await v1.register(discardDeadLetters);
    await v1.register(createBulkReplay);
    await v1.register(getBulkReplay);
    await v1.register(cancelBulkReplay);
    await v1.register(listJobTypes);
    await v1.register(listQueues);
    await v1.register(getQueue);
    await v1.register(createApiKey);
    await v1.register(listApiKeys);
    await v1.register(revokeApiKey);
    await v1.register(listAuditLog);
    await v1.register(getMetrics);
  });

  return app;
}

/** Bounds everything that a slow or hostile client could otherwise hold open: Fastify's own default is no limit. */
function createServer(logger: FastifyBaseLogger, config: Config) {
  const publicUrl = publicUrlOf(config);
  return fastify({
    loggerInstance: logger,
    bodyLimit: config.MAX_BODY_BYTES,
    requestTimeout: config.REQUEST_TIMEOUT_MS,
    keepAliveTimeout: 10_000,
    http: {
      headersTimeout: Math.min(10_000, config.REQUEST_TIMEOUT_MS),
      connectionsCheckingInterval: Math.min(1_000, config.REQUEST_TIMEOUT_MS),
    },
    trustProxy: config.TRUST_PROXY.length > 0 && [...config.TRUST_PROXY],
    requestIdHeader: false,
    logController: new LogController({ requestIdLogLabel: 'requestId' }),
    genReqId: requestIdOf,
    // While the server closes, requests on open connections are still answered; a 503 of Fastify's own is no problem+json.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 200 },
    frameworkErrors: (error, request, reply) => answerFrameworkError(error, publicUrl, request, reply),
    clientErrorHandler: (error, socket) => answerBrokenHttp(error, publicUrl, socket),
  }).withTypeProvider<TypeBoxTypeProvider>();
}
