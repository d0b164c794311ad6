import { parsePublicId, publicId } from '@accepted/shared/core/job/id';
import { createApiKey, type Scope } from '@accepted/shared/ledger/tenants/api-keys';
import { type ApiUnderTest, runJob } from './api-under-test.ts';

const ERROR = {
  code: 'x',
  message: 'the roof is on fire',
  retryable: false,
  stack: 'Error: x\n    at run (a.ts:1:1)',
};

/** Lets a job of type `test.echo` die; answers the public ids. */
export async function die(
  api: ApiUnderTest,
  request: object = {},
  error: Partial<typeof ERROR> = {},
): Promise<{ jobId: string; id: string }> {
  const jobId = await api.submit(request);
  return { jobId, id: await dieAgain(api, jobId, error) };
}

/** Lets a job that is queued die; answers its new dead letter. */
export async function dieAgain(
  api: ApiUnderTest,
  jobId: string,
  error: Partial<typeof ERROR> = {},
): Promise<string> {
  const outcome = { kind: 'deadLetter', reason: 'permanent_error', error: { ...ERROR, ...error } } as const;
  await runJob(api.db, jobId, outcome);
  const { dead_letter_id } = await api.db
    .selectFrom('current_jobs')
    .select('dead_letter_id')
    .where('id', '=', parsePublicId('job', jobId) ?? '')
    .executeTakeFirstOrThrow();
  return publicId('deadLetter', dead_letter_id ?? '');
}

/** Makes a key of the API's tenant that may do no more than this. */
export async function keyWith(api: ApiUnderTest, scopes: Scope[]): Promise<string> {
  const { tenantId } = api;
  return (await createApiKey(api.db, { tenantId, name: 'test', scopes, actor: 'test' })).text;
}
