import type { FastifyPluginAsync } from 'fastify';
import { pauseAndResume } from '../rules/pause-and-resume.ts';
import { QueueDetails, QueueParameter, readQueue } from './queue-view.ts';

/** `POST /v1/queues/{name}/pause` and `/resume`. */
export const pauseQueue: FastifyPluginAsync = async (app) => {
  pauseAndResume<{ name: string }>(app, {
    url: '/v1/queues/:name',
    name: 'Queue',
    called: 'a queue',
    tag: 'catalog',
    params: QueueParameter,
    view: QueueDetails,
    notFound: 'queue_not_found',
    ruled: async ({ name }) => ({ what: 'queue', key: name }),
    show: ({ caller }, { name }) => readQueue(app, caller, name),
  });
};
