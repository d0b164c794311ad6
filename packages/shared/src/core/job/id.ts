import { TypeID } from 'typeid-js';
import { V7Generator } from 'uuidv7';

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

/** Random numbers are drawn by the thousand: the library's own few at a time cost more than all else about an id. */
const randomNumbers = new Uint32Array(1_024);
let drawn = randomNumbers.length;

const generator = new V7Generator({
  nextUint32() {
    if (drawn === randomNumbers.length) {
      crypto.getRandomValues(randomNumbers);
      drawn = 0;
    }
    return randomNumbers[drawn++] as number;
  },
});

/** Makes a new UUIDv7: ids made by one process sort in the order of their making. */
export function newUuid(): string {
  return generator.generate().toString();
}

/** Turns a UUID of the ledger into the id that clients see. */
export function publicId(kind: IdKind, uuid: string): string {
  return `${ID_PREFIXES[kind]}_${base32(uuid)}`;
}

const BASE32 = '0123456789abcdefghjkmnpqrstvwxyz';
const BITS_OF_PAIR = 10;
const PAIRS = Array.from(
  { length: 2 ** BITS_OF_PAIR },
  (_, bits) => `${BASE32[bits >> 5]}${BASE32[bits & 31]}`,
);
const BITS_OF_HEX = 4;
const HEX = Uint8Array.from(
  { length: 128 },
  (_, code) => Number.parseInt(String.fromCharCode(code), 16) || 0,
);
const DASH = 45;

/** Two zero bits come before the 128 of a UUID. Written here, as the library takes four times as long for it. */
function base32(uuid: string): string {
  let text = '';
  let bits = 0;
  let count = 2;
  for (let at = 0; at < uuid.length; at += 1) {
    const code = uuid.charCodeAt(at);
    if (code === DASH) continue;
    bits = (bits << BITS_OF_HEX) | (HEX[code] ?? 0);
    count += BITS_OF_HEX;
    if (count < BITS_OF_PAIR) continue;
    count -= BITS_OF_PAIR;
    text += PAIRS[bits >> count];
    bits &= 2 ** count - 1;
  }
  return text;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Spells whatever stands for an id as people read it everywhere: a UUID of the ledger becomes the public id. */
export function readableId(kind: IdKind, id: unknown): unknown {
  return typeof id === 'string' && UUID.test(id) ? publicId(kind, id) : id;
}

/** Turns a client's id back into the ledger's UUID; `undefined` when it is not an id of this kind. */
export function parsePublicId(kind: IdKind, id: string): string | undefined {
  try {
    return TypeID.fromString(id, ID_PREFIXES[kind]).toUUID();
  } catch {
    return undefined;
  }
}
