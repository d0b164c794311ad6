import type { FastifyPluginAsync } from 'fastify';
import { pauseAndResume } from '../rules/pause-and-resume.ts';
import { JobType, JobTypeParameter, readJobType, registeredType } from './job-type-view.ts';

/** `POST /v1/job-types/{type}/pause` and `/resume`. */
export const pauseJobType: FastifyPluginAsync = async (app) => {
  pauseAndResume<{ type: string }>(app, {
    url: '/v1/job-types/:type',
    name: 'JobType',
    called: 'a job type',
    tag: 'catalog',
    params: JobTypeParameter,
    view: JobType,
    notFound: 'job_type_not_found',
    ruled: async ({ type }) => ({ what: 'job_type', key: (await registeredType(app, type)).type }),
    show: (_request, { type }) => readJobType(app, type),
  });
};
