import type { SecretBox } from '@accepted/shared/core/secrets/secret-box';
import type { FastifyPluginAsync } from 'fastify';
import { authentication } from '../admission/authentication.ts';
import { type BodyBounds, bodyAdmission } from '../admission/body-admission.ts';
import { rateLimits } from '../admission/rate-limits.ts';
import { useConnections } from '../plugins/database.ts';
import { metrics } from '../plugins/metrics.ts';
import { createApiKey } from './api-keys/create-api-key.ts';
import { listApiKeys } from './api-keys/list-api-keys.ts';
import { revokeApiKey } from './api-keys/revoke-api-key.ts';
import { listAuditLog } from './audit-log/list-audit-log.ts';
import { listBreakers } from './breakers/list-breakers.ts';
import { cancelBulkReplay } from './dead-letters/cancel-bulk-replay.ts';
import { createBulkReplay } from './dead-letters/create-bulk-replay.ts';
import { discardDeadLetter } from './dead-letters/discard-dead-letter.ts';
import { discardDeadLetters } from './dead-letters/discard-dead-letters.ts';
import { getBulkReplay } from './dead-letters/get-bulk-replay.ts';
import { getDeadLetter } from './dead-letters/get-dead-letter.ts';
import { listDeadLetterGroups } from './dead-letters/list-dead-letter-groups.ts';
import { listDeadLetters } from './dead-letters/list-dead-letters.ts';
import { replayDeadLetter } from './dead-letters/replay-dead-letter.ts';
import { getHotspots } from './hotspots/get-hotspots.ts';
import { changeJobType } from './job-types/change-job-type.ts';
import { getJobType } from './job-types/get-job-type.ts';
import { listJobTypes } from './job-types/list-job-types.ts';
import { pauseJobType } from './job-types/pause-job-type.ts';
import { cancelJob } from './jobs/cancel-job.ts';
import { copyJob } from './jobs/copy-job.ts';
import { explainJob } from './jobs/explain-job.ts';
import { getJob } from './jobs/get-job.ts';
import { getJobResult } from './jobs/get-job-result.ts';
import { listAttempts } from './jobs/list-attempts.ts';
import { listJobs } from './jobs/list-jobs.ts';
import { rescheduleJob } from './jobs/reschedule-job.ts';
import { submitJob } from './jobs/submit-job.ts';
import { getMetrics } from './operations/get-metrics.ts';
import { changeQueue } from './queues/change-queue.ts';
import { getQueue } from './queues/get-queue.ts';
import { listQueues } from './queues/list-queues.ts';
import { pauseQueue } from './queues/pause-queue.ts';
import { queueOutlooks } from './queues/queue-outlooks.ts';
import { queueStatistics } from './queues/queue-statistics.ts';
import { getScaling } from './scaling/get-scaling.ts';
import { changeTenant } from './tenants/change-tenant.ts';
import { createTenant } from './tenants/create-tenant.ts';
import { getTenant } from './tenants/get-tenant.ts';
import { listTenants } from './tenants/list-tenants.ts';
import { pauseTenant } from './tenants/pause-tenant.ts';

interface V1Options {
  maxWaitSeconds: number;
  maxBodyBytes: number;
  bodies: BodyBounds;
  databaseBudgetMs: number;
  secretBox: SecretBox;
  /** Within how long a job is to be started. */
  startObjectiveMs: number;
}

/** Everything that needs an API key. */
export const v1: FastifyPluginAsync<V1Options> = async (app, options) => {
  const { maxWaitSeconds, maxBodyBytes, bodies, databaseBudgetMs, secretBox, startObjectiveMs } = options;
  app.addHook('onRequest', (_request, _reply, done) => done(app.schemaGuard.problem()));
  await app.register(authentication, { databaseBudgetMs });
  await app.register(rateLimits);
  await app.register(bodyAdmission, { maxBodyBytes, ...bodies });
  await app.register(submitJob, { maxWaitSeconds });
  await app.register(listJobs);
  await app.register(getJob, { maxWaitSeconds });
  await app.register(getJobResult);
  await app.register(listAttempts);
  await app.register(explainJob);
  await app.register(cancelJob);
  await app.register(rescheduleJob);
  await app.register(copyJob, { maxWaitSeconds });
  await app.register(listDeadLetters);
  await app.register(listDeadLetterGroups);
  await app.register(getDeadLetter);
  await app.register(replayDeadLetter);
  await app.register(discardDeadLetter);
  await app.register(discardDeadLetters);
  await app.register(createBulkReplay);
  await app.register(getBulkReplay);
  await app.register(cancelBulkReplay);
  await app.register(listBreakers);
  await app.register(listJobTypes);
  await app.register(getJobType);
  await app.register(listQueues);
  await app.register(getQueue);
  await app.register(administration, { secretBox, startObjectiveMs });
};

/** What operators do, and who may come in: on connections that no job and no reader can have. */
const administration: FastifyPluginAsync<Pick<V1Options, 'secretBox' | 'startObjectiveMs'>> = async (
  app,
  { secretBox, startObjectiveMs },
) => {
  useConnections(app, 'admin');
  await app.register(queueStatistics);
  await app.register(queueOutlooks);
  await app.register(metrics);
  await app.register(changeJobType);
  await app.register(pauseJobType);
  await app.register(changeQueue);
  await app.register(pauseQueue);
  await app.register(createTenant, { secretBox });
  await app.register(listTenants);
  await app.register(getTenant);
  await app.register(changeTenant);
  await app.register(pauseTenant);
  await app.register(createApiKey, { secretBox });
  await app.register(listApiKeys);
  await app.register(revokeApiKey);
  await app.register(listAuditLog);
  await app.register(getMetrics);
  await app.register(getScaling, { startObjectiveMs });
  await app.register(getHotspots);
};
