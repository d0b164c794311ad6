import { TypeID } from 'typeid-js';
import { uuidv7 } from 'uuidv7';

/**
 * Maps each kind of thing to the prefix of its public id. A public id is a TypeID: the prefix, `_`, and the
 * base32 of a UUIDv7 (TypeID specification 0.3.0). The ledger stores the bare UUID.
 */
export const ID_PREFIXES = {
  job: 'job',
  deadLetter: 'dlq',
  event: 'evt',
  tenant: 'ten',
  apiKey: 'key',
  worker: 'wrk',
  bulkReplay: 'rep',
  auditEntry: 'aud',
} as const;

export type IdKind = keyof typeof ID_PREFIXES;

/** Makes a new UUIDv7: ids made by one process sort in the order of their making. */
export function newUuid(): string {
  return uuidv7();
}

/** Turns a UUID of the ledger into the id that clients see. */
export function publicId(kind: IdKind, uuid: string): string {
  return TypeID.fromUUID(ID_PREFIXES[kind], uuid).toString();
}

/** Turns a client's id back into the ledger's UUID; `undefined` when it is not an id of this kind. */
export function parsePublicId(kind: IdKind, id: string): string | undefined {
  try {
    return TypeID.fromString(id, ID_PREFIXES[kind]).toUUID();
  } catch {
    return undefined;
  }
}
