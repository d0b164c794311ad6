import { CALLING_TYPES } from '@accepted/shared/core/outbound/breaker-target';
import { listBreakers as readBreakers, type ShownBreaker } from '@accepted/shared/ledger/outbound/breakers';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import { wholePage } from '../../http/page.ts';
import { answers, needsScope } from '../../schemas/describe-route.ts';
import { oneOf } from '../../schemas/one-of.ts';
import { NoParameters } from '../../schemas/parameters.ts';
import { pageOf, time } from '../../schemas/shared-schemas.ts';

const MOST = 1_000;

const CircuitBreaker = Type.Object(
  {
    type: Type.String({
      description: `The type of the jobs that call: ${CALLING_TYPES.map((type) => `\`${type}\``).join(' or ')}.`,
    }),
    target: Type.String({
      description: 'What they call: an origin, or the endpoint of a webhook without its query.',
    }),
    state: oneOf(['open', 'half_open'], {
      description:
        'While it is `open` no call is made. `half_open`: the next job tries, or one that is trying has not ended.',
    }),
    errorCode: Type.String({ description: 'Why the latest call failed.', examples: ['http_503'] }),
    openings: Type.Integer({ description: 'How often it was opened since calls were answered.' }),
    openedAt: time('When it was opened first since then.'),
    until: time('When a job may try whether calls are answered again.'),
  },
  {
    title: 'CircuitBreaker',
    additionalProperties: false,
    description: 'Calls failed there, so that jobs wait instead of calling.',
  },
);

const options = needsScope('jobs:read', {
  summary: 'List the circuit breakers that are not closed',
  description: `What your tenant's jobs call and is not answered just now, the one that was opened last first, ${MOST.toLocaleString('en')} at most. Jobs that call there wait, and lose no attempt.`,
  tags: ['catalog'],
  querystring: NoParameters,
  response: answers({ 200: { description: 'All that are not closed.', schema: pageOf(CircuitBreaker) } }, []),
});

/** `GET /v1/breakers`: what does not answer the caller's jobs. */
export const listBreakers: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/v1/breakers', options, async ({ caller }) => {
    const rows = await readBreakers(app.db, caller.tenantId, MOST);
    return wholePage(rows.map(breakerView));
  });
};

function breakerView({
  isOpen,
  openedAt,
  openUntil,
  ...breaker
}: ShownBreaker): Static<typeof CircuitBreaker> {
  return {
    ...breaker,
    state: isOpen ? 'open' : 'half_open',
    openedAt: openedAt.toISOString(),
    until: openUntil.toISOString(),
  };
}
