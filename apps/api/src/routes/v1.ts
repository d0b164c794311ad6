import type { SecretBox } from '@accepted/shared/core/secrets/secret-box';
import type { FastifyPluginAsync } from 'fastify';
import { authentication } from '../admission/authentication.ts';
import { type BodyBounds, bodyAdmission } from '../admission/body-admission.ts';
import { createApiKey } from './api-keys/create-api-key.ts';
import { listApiKeys } from './api-keys/list-api-keys.ts';
import { revokeApiKey } from './api-keys/revoke-api-key.ts';
import { listAuditLog } from './audit-log/list-audit-log.ts';
import { cancelBulkReplay } from './dead-letters/cancel-bulk-replay.ts';
import { createBulkReplay } from './dead-letters/create-bulk-replay.ts';
import { discardDeadLetter } from './dead-letters/discard-dead-letter.ts';
import { discardDeadLetters } from './dead-letters/discard-dead-letters.ts';
import { getBulkReplay } from './dead-letters/get-bulk-replay.ts';
import { getDeadLetter } from './dead-letters/get-dead-letter.ts';
import { listDeadLetterGroups } from './dead-letters/list-dead-letter-groups.ts';
import { listDeadLetters } from './dead-letters/list-dead-letters.ts';
import { replayDeadLetter } from './dead-letters/replay-dead-letter.ts';
import { listJobTypes } from './job-types/list-job-types.ts';
import { cancelJob } from './jobs/cancel-job.ts';
import { copyJob } from './jobs/copy-job.ts';
import { getJob } from './jobs/get-job.ts';
import { getJobResult } from './jobs/get-job-result.ts';
import { listAttempts } from './jobs/list-attempts.ts';
import { listJobs } from './jobs/list-jobs.ts';
import { rescheduleJob } from './jobs/reschedule-job.ts';
import { submitJob } from './jobs/submit-job.ts';
import { getMetrics } from './operations/get-metrics.ts';
import { getQueue } from './queues/get-queue.ts';
import { listQueues } from './queues/list-queues.ts';

interface V1Options {
  maxWaitSeconds: number;
  maxBodyBytes: number;
  bodies: BodyBounds;
  secretBox: SecretBox;
}

/** Everything that needs an API key. */
export const v1: FastifyPluginAsync<V1Options> = async (app, options) => {
  const { maxWaitSeconds, maxBodyBytes, bodies, secretBox } = options;
  app.addHook('onRequest', (_request, _reply, done) => done(app.schemaGuard.problem()));
  await app.register(authentication);
  await app.register(bodyAdmission, { maxBodyBytes, ...bodies });
  await app.register(submitJob, { maxWaitSeconds });
  await app.register(listJobs);
  await app.register(getJob, { maxWaitSeconds });
  await app.register(getJobResult);
  await app.register(listAttempts);
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
  await app.register(listJobTypes);
  await app.register(listQueues);
  await app.register(getQueue);
  await app.register(createApiKey, { secretBox });
  await app.register(listApiKeys);
  await app.register(revokeApiKey);
  await app.register(listAuditLog);
  await app.register(getMetrics);
};
