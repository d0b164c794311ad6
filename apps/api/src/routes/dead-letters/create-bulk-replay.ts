import { publicId } from '@accepted/shared/core/job/id';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import type { BulkReplayRow } from '@accepted/shared/ledger/connection/tables';
import {
  type BulkReplayCounts,
  type BulkReplayRequest,
  createBulkReplay as createInLedger,
  findBulkReplay,
  MAX_BULK_REPLAYED,
  previewBulkReplay,
} from '@accepted/shared/ledger/dead-letters/bulk-replays';
import type { DeadLetterSelection } from '@accepted/shared/ledger/dead-letters/select-dead-letters';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import { actOnce } from '../../http/act-once.ts';
import { bodyFaultsOf } from '../../plugins/validation.ts';
import { answersOnce, needsScope } from '../../schemas/describe-route.ts';
import { NoParameters } from '../../schemas/parameters.ts';
import { NO_REASON, Reason } from '../../schemas/reason.ts';
import { KeyHeader } from '../../schemas/request-headers.ts';
import { always } from '../../schemas/response-headers.ts';
import { BulkReplay, bulkReplayNotFound, bulkReplayView } from './bulk-replay-view.ts';
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
  headers: KeyHeader,
  querystring: NoParameters,
  body: Body,
  response: answersOnce(
    {
      200: { description: 'What would be replayed.', schema: DryRun },
      202: {
        description: 'The workers replay them.',
        schema: BulkReplay,
        headers: { Location: always('Where to follow the bulk replay.') },
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

type Preview = Static<typeof DryRun>;
type Created = { replay: BulkReplayRow; counts: BulkReplayCounts };

/** `POST /v1/dead-letters/replay`: replays dead letters by filter or by ids. */
export const createBulkReplay: FastifyPluginAsyncTypebox = async (app) => {
  const config = { ...options.config, collectsFaults: true };
  app.post('/v1/dead-letters/replay', { ...options, config }, async (request, reply) => {
    const selection = readSelection(request.body, bodyFaultsOf(request));
    const { dryRun, ratePerSecond, canary = 0, reason = NO_REASON } = request.body;
    const { tenantId, keyId } = request.caller;
    const rate = ratePerSecond === undefined ? {} : { ratePerSecond };
    const asked = { tenantId, selection, act: { actor: keyId, reason }, canary, ...rate };
    const { status, made } = await actOnce<Preview | Created, Preview | string>(request, reply, {
      act: async (tx) =>
        dryRun
          ? { status: 200, made: await preview(tx, tenantId, selection) }
          : { status: 202, made: await create(tx, asked) },
      keep: (made) => ('dryRun' in made ? made : made.replay.id),
      recall: (kept) => (typeof kept === 'string' ? find(app.db, tenantId, kept) : kept),
    });
    if ('dryRun' in made) return reply.code(status).send(made);
    const view = bulkReplayView(made.replay, made.counts);
    return reply.code(status).header('location', view.links.self).send(view);
  });
};

async function create(db: Database, request: BulkReplayRequest): Promise<Created> {
  const created = await createInLedger(db, request);
  if (!('replay' in created)) throw unknownIds(request.selection, created.unknown);
  const { replay } = created;
  return { replay, counts: { pending: replay.matched, skipped: 0, replayed: 0, succeeded: 0, failed: 0 } };
}

async function find(db: Database, tenantId: string, id: string): Promise<Created> {
  const found = await findBulkReplay(db, tenantId, id);
  if (!found) throw bulkReplayNotFound();
  return found;
}

async function preview(db: Database, tenantId: string, selection: DeadLetterSelection): Promise<Preview> {
  const request = { tenantId, selection, sampleSize: SAMPLE_SIZE };
  const { matched, limited, sample, unknown } = await previewBulkReplay(db, request);
  if (unknown.length > 0) throw unknownIds(selection, unknown);
  return { dryRun: true, matched, limited, sample: sample.map((id) => publicId('deadLetter', id)) };
}
