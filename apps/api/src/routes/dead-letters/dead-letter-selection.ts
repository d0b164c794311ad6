import { parsePublicId } from '@accepted/shared/core/job/id';
import type { DeadLetterSelection } from '@accepted/shared/ledger/dead-letters/select-dead-letters';
import { type Static, Type } from 'typebox';
import { type Fault, type Problem, validationFailed } from '../../http/problem.ts';
import { deadLetterNotFound, filterFields, readFilter } from './dead-letter-parameters.ts';

/** The fields of a body that says which open dead letters are meant: by filter or by ids. */
export const selectionFields = {
  filter: Type.Optional(
    Type.Object(filterFields, {
      additionalProperties: false,
      description: 'Open dead letters that match; an empty filter means all of them.',
    }),
  ),
  ids: Type.Optional(
    Type.Array(Type.String({ maxLength: 100 }), {
      minItems: 1,
      maxItems: 1_000,
      uniqueItems: true,
      description: 'The ids of the dead letters that are meant, `dlq_…`.',
    }),
  ),
};

const SelectionFields = Type.Object(selectionFields);

/**
 * Reads which dead letters a body means; throws all faults, `bodyFaults` that are known already among them. The body
 * may have any shape when it has faults.
 */
export function readSelection(
  body: Static<typeof SelectionFields> | null | undefined,
  bodyFaults: Fault[],
): DeadLetterSelection {
  const { filter, ids } = typeof body === 'object' && body !== null ? body : {};
  const faults = [...bodyFaults];
  const known = new Set(faults.map(({ pointer }) => pointer));
  const add = (pointer: string, detail: string) => {
    if (!known.has(pointer)) faults.push({ pointer, detail });
  };
  if ((filter === undefined) === (ids === undefined)) add('', 'Give either `filter` or `ids`.');
  const selected = readFilter(filter ?? {}, (name, detail) => add(`/filter/${name}`, detail));
  if (faults.length > 0) throw validationFailed(faults);
  return ids === undefined ? { filter: selected } : { ids: readIds(ids) };
}

/** An id of another form cannot be that of a dead letter, so it answers as an unknown one does. */
function readIds(ids: string[]): string[] {
  const parsed = ids.map((id) => parsePublicId('deadLetter', id));
  const known = parsed.filter((id) => id !== undefined);
  if (known.length === ids.length) return known;
  throw notFoundAmong(parsed, (id) => id === undefined);
}

/** Makes the problem that names each id of the body which is no dead letter of the caller's tenant. */
export function unknownIds(selection: DeadLetterSelection, unknown: string[]): Problem {
  const isUnknown = new Set(unknown);
  return notFoundAmong('ids' in selection ? selection.ids : [], (id) => isUnknown.has(id));
}

function notFoundAmong<Id>(ids: Id[], isUnknown: (id: Id) => boolean): Problem {
  const faults = ids.flatMap((id, index) =>
    isUnknown(id) ? [{ pointer: `/ids/${index}`, detail: 'There is no such dead letter.' }] : [],
  );
  return deadLetterNotFound(faults);
}
