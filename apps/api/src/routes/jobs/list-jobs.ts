import { jobSummary } from '@accepted/shared/contract/job-view';
import { JOB_STATUSES } from '@accepted/shared/core/job/status';
import { listJobs as readJobs } from '@accepted/shared/ledger/jobs/read-jobs';
import type { JobListRow } from '@accepted/shared/ledger/jobs/shown-job';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { answerPage, readPage } from '../../http/page.ts';
import { parseTime } from '../../http/parse-time.ts';
import { invalidParameter } from '../../http/problem.ts';
import { answers, needsScope } from '../../schemas/describe-route.ts';
import { oneOf } from '../../schemas/one-of.ts';
import { pageParameters } from '../../schemas/parameters.ts';
import { PAGE_HEADERS } from '../../schemas/response-headers.ts';
import { pageOf, time } from '../../schemas/shared-schemas.ts';
import { deliveriesOfAll } from './answer-job.ts';

const name = (description: string) => Type.String({ minLength: 1, maxLength: 200, description });

const options = needsScope('jobs:read', {
  summary: 'List jobs',
  description: 'Newest first. The jobs come without payload and result: get one job for those.',
  tags: ['jobs'],
  querystring: Type.Object(
    {
      ...pageParameters,
      status: Type.Optional(oneOf(JOB_STATUSES, { description: 'Only jobs of this status.' })),
      type: Type.Optional(name('Only jobs of this type.')),
      queue: Type.Optional(name('Only jobs of this queue.')),
      tag: Type.Optional(name('Only jobs that have this tag.')),
      requestId: Type.Optional(name('Only jobs that the request of this id made.')),
      concurrencyKey: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 512,
          description: 'Only jobs that were submitted with this key, as they show it.',
        }),
      ),
      createdAfter: Type.Optional(time('Only jobs that are newer than this.')),
      createdBefore: Type.Optional(time('Only jobs that are older than this.')),
    },
    { additionalProperties: false },
  ),
  response: answers(
    {
      200: {
        description: 'A page of jobs.',
        schema: pageOf(Type.Ref('JobSummary')),
        headers: PAGE_HEADERS,
      },
    },
    ['invalid_cursor'],
  ),
});

/** `GET /v1/jobs`: the tenant's jobs, filtered and paged. */
export const listJobs: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/v1/jobs', options, async (request, reply) => {
    const { createdAfter, createdBefore, limit: _limit, cursor: _cursor, ...filter } = request.query;
    const page = readPage(request.query);
    const times = {
      ...(createdAfter !== undefined && { createdAfter: timeOf('createdAfter', createdAfter) }),
      ...(createdBefore !== undefined && { createdBefore: timeOf('createdBefore', createdBefore) }),
    };
    const rows = await readJobs(app.db, request.caller.tenantId, { ...filter, ...times }, page);
    const deliveries = await deliveriesOfAll(app, request.caller.tenantId, rows);
    const view = (row: JobListRow) => jobSummary(row, deliveries.get(row.id) ?? []);
    return answerPage(request, reply, { rows, limit: page.limit, view });
  });
};

function timeOf(name: string, text: string): Date {
  const time = parseTime(text);
  if (time) return time;
  throw invalidParameter([{ pointer: `/query/${name}`, detail: 'There is no such time.' }]);
}
