import { discardSelected, MAX_DISCARDED } from '@accepted/shared/ledger/dead-letters/act-on-dead-letters';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { actOnce } from '../../http/act-once.ts';
import { bodyFaultsOf } from '../../plugins/validation.ts';
import { answersOnce, needsScope } from '../../schemas/describe-route.ts';
import { NoParameters } from '../../schemas/parameters.ts';
import { NO_REASON, Reason } from '../../schemas/reason.ts';
import { KeyHeader } from '../../schemas/request-headers.ts';
import { readSelection, selectionFields, unknownIds } from './dead-letter-selection.ts';

const options = needsScope('dead-letters', {
  summary: 'Discard many dead letters',
  description: `The open ones that match, at most ${MAX_DISCARDED} a request, the oldest first; all or none of them.`,
  tags: ['dead-letters'],
  headers: KeyHeader,
  querystring: NoParameters,
  body: Type.Object(
    { ...selectionFields, reason: Type.Optional(Reason) },
    {
      title: 'DiscardRequest',
      additionalProperties: false,
      examples: [{ filter: { type: 'report.render' }, reason: 'nobody wants these reports any more' }],
    },
  ),
  response: answersOnce(
    {
      200: {
        description: 'They are discarded.',
        schema: Type.Object(
          {
            discarded: Type.Integer({ description: 'How many were discarded.' }),
            hasMore: Type.Boolean({
              description: 'Whether others match that were too many for one request.',
            }),
          },
          { title: 'DiscardAnswer', additionalProperties: false, description: 'What was discarded.' },
        ),
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

/** `POST /v1/dead-letters/discard`: settles dead letters by filter or by ids. */
export const discardDeadLetters: FastifyPluginAsyncTypebox = async (app) => {
  const config = { ...options.config, collectsFaults: true };
  app.post('/v1/dead-letters/discard', { ...options, config }, async (request, reply) => {
    const selection = readSelection(request.body, bodyFaultsOf(request));
    const { tenantId, keyId } = request.caller;
    const byWhom = { actor: keyId, reason: request.body.reason ?? NO_REASON };
    const { made } = await actOnce(request, reply, {
      async act(tx) {
        const { unknown, ...made } = await discardSelected(tx, { tenantId, selection, act: byWhom });
        if (unknown.length > 0) throw unknownIds(selection, unknown);
        return { status: 200, made };
      },
      keep: (made) => made,
      recall: (kept) => kept,
    });
    return made;
  });
};
