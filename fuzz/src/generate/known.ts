/** What earlier answers told of; the newest first. Ids have the kind of their prefix, as `job_`, other text that of its field, as `queue`. */
export interface Known {
  of(kind: string): readonly string[];
}

const ID = /^([a-z]{3}_)[0-9a-z]{26}$/;
const API_KEY = /^acc_/;
const MAX_EACH = 60;
const MAX_LENGTH = 300;

/** What a client or a handler wrote, which says nothing of what there is. */
const OPAQUE = new Set([
  'payload',
  'result',
  'metadata',
  'progress',
  'detail',
  'payloadSchema',
  'resultSchema',
]);

export interface Memory extends Known {
  /** Learns from the body of an answer; `collection` is the word in the path that it came from, such as `queues`. */
  learn(collection: string, body: unknown): void;
  learnValue(kind: string, value: string): void;
}

/**
 * Remembers the newest of each kind: ids by their prefix, other text by the name of its field. What is in `never` is not learned, nor
 * what is said of a tenant in it.
 */
export function createMemory(never: ReadonlySet<string> = new Set()): Memory {
  const kinds = new Map<string, Set<string>>();

  function learnValue(kind: string, value: string): void {
    if (value === '' || value.length > MAX_LENGTH || API_KEY.test(value) || never.has(value)) return;
    const values = kinds.get(kind) ?? new Set();
    kinds.set(kind, values);
    values.delete(value);
    values.add(value);
    const [oldest] = values;
    if (values.size > MAX_EACH && oldest !== undefined) values.delete(oldest);
  }

  const isOfNever = (body: object) =>
    'tenantId' in body && typeof body.tenantId === 'string' && never.has(body.tenantId);

  function learn(collection: string, body: unknown, name = ''): void {
    if (typeof body === 'string') {
      const prefix = ID.exec(body)?.[1];
      const words = prefix === undefined ? [name, `${collection}.${name}`] : [prefix];
      for (const word of words) learnValue(word, body);
    } else if (Array.isArray(body)) {
      // The newest comes first in a list, and has to be learned last.
      for (const item of body.toReversed()) learn(collection, item, name);
    } else if (typeof body === 'object' && body !== null && !isOfNever(body)) {
      for (const [field, inner] of Object.entries(body))
        if (!OPAQUE.has(field)) learn(collection, inner, field);
    }
  }

  return {
    of: (kind) => [...(kinds.get(kind) ?? [])].reverse(),
    learn,
    learnValue,
  };
}
