import { parsePublicId } from '@accepted/shared/core/job/id';
import type { ResolutionFilter } from '@accepted/shared/ledger/dead-letters/read-dead-letters';
import type { DeadLetterFilter } from '@accepted/shared/ledger/dead-letters/select-dead-letters';
import type { FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import { parseTime } from '../../http/parse-time.ts';
import { type Fault, invalidParameter, Problem } from '../../http/problem.ts';
import { oneOf } from '../../schemas/one-of.ts';
import { time } from '../../schemas/shared-schemas.ts';

const name = (description: string) => Type.String({ minLength: 1, maxLength: 200, description });

/** The fields that dead letters are chosen by, in a query and in a body. */
export const filterFields = {
  queue: Type.Optional(name('Only of this queue.')),
  type: Type.Optional(name('Only of this job type.')),
  fingerprint: Type.Optional(name('Only of this group of alike errors.')),
  reason: Type.Optional(
    name('Only those that died of this: `attempts_exhausted`, `permanent_error` or `poison`.'),
  ),
  createdAfter: Type.Optional(time('Only those that are newer than this.')),
  createdBefore: Type.Optional(time('Only those that are older than this.')),
};

const FilterFields = Type.Object(filterFields);

export const resolutionField = {
  resolution: Type.Optional(
    oneOf(['open', 'replayed', 'discarded'] as const satisfies ResolutionFilter[], {
      default: 'open',
      description: 'Whether somebody has dealt with them.',
    }),
  ),
};

export const DeadLetterIdParameter = Type.Object({
  id: Type.String({ description: 'The id of a dead letter: `dlq_…`.' }),
});

/** Turns the times of a filter into dates. */
export function readFilter(
  fields: Static<typeof FilterFields>,
  onFault: (name: string, detail: string) => void,
): DeadLetterFilter {
  const { queue, type, fingerprint, reason } = fields;
  const filter: DeadLetterFilter = {
    ...(queue !== undefined && { queue }),
    ...(type !== undefined && { type }),
    ...(fingerprint !== undefined && { fingerprint }),
    ...(reason !== undefined && { reason }),
  };
  for (const name of ['createdAfter', 'createdBefore'] as const) {
    const text = fields[name];
    if (typeof text !== 'string') continue;
    const time = parseTime(text);
    if (time) filter[name] = time;
    else onFault(name, 'There is no such time.');
  }
  return filter;
}

/** Reads the filter of a list out of its query. */
export function filterOfQuery(
  query: Static<typeof FilterFields> & { resolution?: ResolutionFilter },
): DeadLetterFilter & { resolution: ResolutionFilter } {
  const faults: Fault[] = [];
  const filter = readFilter(query, (name, detail) => faults.push({ pointer: `/query/${name}`, detail }));
  if (faults.length > 0) throw invalidParameter(faults);
  return { ...filter, resolution: query.resolution ?? 'open' };
}

/** Names the dead letter of a request for the ledger. */
export function requestedDeadLetter(request: FastifyRequest<{ Params: { id: string } }>): {
  tenantId: string;
  id: string;
} {
  const id = parsePublicId('deadLetter', request.params.id);
  if (!id) throw deadLetterNotFound();
  return { tenantId: request.caller.tenantId, id };
}

/** The same whether there is no such dead letter or it is another tenant's: ids must not be probed. */
export function deadLetterNotFound(errors?: Fault[]): Problem {
  return new Problem('dead_letter_not_found', errors && { errors });
}
