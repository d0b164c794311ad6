import {
  createBulkReplay as createInLedger,
  MAX_BULK_REPLAYED,
  previewBulkReplay,
} from '@accepted/shared/database/bulk-replays';
import type { DeadLetterSelection } from '@accepted/shared/database/select-dead-letters';
import { publicId } from '@accepted/shared/job/id';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { bodyFaultsOf } from '../../plugins/validation.ts';
import { answers, needsScope } from '../../schemas/describe-route.ts';
import { NoParameters } from '../../schemas/parameters.ts';
import { BulkReplay, bulkReplayView } from './bulk-replay-view.ts';
import { NO_REASON, Reason } from './dead-letter-parameters.ts';
import { readSelection, selectionFields, unknownIds } from './dead-letter-selection.ts';

const SAMPLE_SIZE = 10;

const Body = Type.Object(
  {
    ...selectionFields,
    dryRun: Type.Optional(Type.Boolean({ description: 'Only tells what would be replayed.' })),
    ratePerSecond: Type.Optional(
      Type.Number({
        minimum: 0.01,
        maximum: 10_000,
        description: 'Over all workers; as fast as it goes by default.',
      }),
    ),
    canary: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 1_000,
        description:
          'Replays so many first. The rest waits until they are finished, and stays when one fails.',
      }),
    ),
    reason: Type.Optional(Reason),
  },
  {
    title: 'BulkReplayRequest',
    additionalProperties: false,
    examples: [
      { filter: { queue: 'default' }, canary: 5, ratePerSecond: 10, reason: 'the mail server is back' },
    ],
  },
);

const DryRun = Type.Object(
  {
    dryRun: Type.Literal(true, { description: 'Nothing was replayed.' }),
    matched: Type.Integer({ description: 'The dead letters that match.' }),
    limited: Type.Boolean({ description: 'Whether others match that are too many for one bulk replay.' }),
    sample: Type.Array(Type.String(), { description: `The ids of the first ${SAMPLE_SIZE}.` }),
  },
  { title: 'BulkReplayPreview', additionalProperties: false, description: 'What would be replayed.' },
);

const options = needsScope('dead-letters', {
  summary: 'Replay many dead letters',
  description: `Takes the open ones that match now, at most ${MAX_BULK_REPLAYED}, and replays them behind this, the oldest first.`,
  tags: ['dead-letters'],
  querystring: NoParameters,
  body: Body,
  response: answers(
    {
      200: { description: 'What would be replayed.', schema: DryRun },
      202: {
        description: 'The workers replay them.',
        schema: BulkReplay,
        headers: { Location: 'Where to follow the bulk replay.' },
      },
    },
    [
      'malformed_json',
      'body_too_large',
      'unsupported_media_type',
      'validation_failed',
      'dead_letter_not_found',
    ],
  ),
});

/** `POST /v1/dead-letters/replay`: replays dead letters by filter or by ids. */
export const createBulkReplay: FastifyPluginAsyncTypebox = async (app) => {
  const config = { ...options.config, collectsFaults: true };
  app.post('/v1/dead-letters/replay', { ...options, config }, async (request, reply) => {
    const selection = readSelection(request.body, bodyFaultsOf(request));
    const { dryRun, ratePerSecond, canary = 0, reason = NO_REASON } = request.body;
    const { tenantId, keyId } = request.caller;
    if (dryRun) return await preview(app, tenantId, selection);
    const act = { actor: keyId, reason };
    const rate = ratePerSecond === undefined ? {} : { ratePerSecond };
    const created = await createInLedger(app.db, { tenantId, selection, act, canary, ...rate });
    if (!('replay' in created)) throw unknownIds(selection, created.unknown);
    const counts = { pending: created.replay.matched, skipped: 0, replayed: 0, succeeded: 0, failed: 0 };
    const view = bulkReplayView(created.replay, counts);
    return reply.code(202).header('location', view.links.self).send(view);
  });
};

async function preview(app: FastifyInstance, tenantId: string, selection: DeadLetterSelection) {
  const request = { tenantId, selection, sampleSize: SAMPLE_SIZE };
  const { matched, limited, sample, unknown } = await previewBulkReplay(app.db, request);
  if (unknown.length > 0) throw unknownIds(selection, unknown);
  return { dryRun: true, matched, limited, sample: sample.map((id) => publicId('deadLetter', id)) };
}
