import type { Operation } from '../document/api-document.ts';
import type { Context } from '../generate/context.ts';
import { draftRequest } from '../request/draft.ts';
import type { FuzzRequest } from '../request/fuzz-request.ts';
import { targetOf } from '../request/target.ts';
import type { HostileSchema } from './hostile-schemas.ts';
import type { BodyPlace } from './places.ts';
import type { Recipe } from './recipe.ts';
import { SHAPES } from './shapes.ts';
import { QUERY_WORDS, WORDS } from './words.ts';

/** What requests are made of. */
export interface Pantry {
  /** By their `operationId`. */
  operations: ReadonlyMap<string, { operation: Operation; places: ReadonlyMap<string, BodyPlace> }>;
  schemas: readonly HostileSchema[];
  typeOf(schema: number): string;
  /** Draws with ids that there are. */
  contextOf(seed: string): Context;
}

/** How large what is repeated in a list or an object is. */
const PART_BYTES = 40;
/** Longer than that, a line or the headers are refused by Node. */
const MANY_HEADERS = 90;

type Made = Pick<FuzzRequest, 'method' | 'target' | 'headers' | 'body' | 'key'>;

/** Makes the request of a recipe; `number` only keeps two of them from having the same `Idempotency-Key`. */
export function cook(
  { operations, schemas, typeOf, contextOf }: Pantry,
  recipe: Recipe,
  number: number,
): Made {
  const known = operations.get(recipe.operation);
  if (!known) throw new TypeError(`There is no operation ${recipe.operation}.`);
  const { operation, places } = known;
  const { place, shape, bytes, isKeyed, schema } = recipe;
  const draft = draftRequest(contextOf(`${operation.id} path`), operation);
  const target = targetOf({ ...draft, query: [] });
  const small = places.get('');
  const made: Made = {
    method: operation.method,
    target,
    headers: isKeyed ? [['Idempotency-Key', `hold-${number}`]] : [],
    body: undefined,
    key: 'all',
  };
  const withBody = (text: string | undefined): Made =>
    text === undefined
      ? made
      : {
          ...made,
          headers: [...made.headers, ['Content-Type', 'application/json']],
          body: Buffer.from(text),
        };
  if (place.startsWith('?')) {
    const query = `${place.slice(1) || 'a'}=${repeated(QUERY_WORDS[shape], bytes)}`;
    return { ...withBody(small && '{}'), target: `${target}?${query}` };
  }
  if (place.endsWith(':'))
    return withHeaders(withBody(small && '{}'), place.slice(0, -1), repeated(WORDS[shape], bytes));
  if (schema !== undefined) {
    const payload = schemas[schema]?.worst(bytes) ?? '';
    return withBody(`{"type":"${typeOf(schema)}","payload":${payload}}`);
  }
  const at = places.get(place);
  if (!at) throw new TypeError(`${operation.id} has no place ${place}.`);
  const part = SHAPES[recipe.part ?? '']?.(PART_BYTES, { items: [], part: '1' }) ?? '{}';
  const room = Math.max(1, bytes - at.before.length - at.after.length);
  return withBody(at.before + (SHAPES[shape]?.(room, { items: at.items, part }) ?? '') + at.after);
}

function repeated(word = 'a', bytes: number): string {
  return word.repeat(Math.max(1, bytes / word.length));
}

function withHeaders(made: Made, name: string, value: string): Made {
  const text = value.trim();
  if (name === 'Authorization') return { ...made, key: 'none', headers: [...made.headers, [name, text]] };
  if (name === 'Content-Type' || name === 'Idempotency-Key')
    return { ...made, headers: [...made.headers.filter(([other]) => other !== name), [name, text]] };
  if (name !== '') return { ...made, headers: [...made.headers, [name, text]] };
  const each = text.slice(0, text.length / MANY_HEADERS);
  const many = Array.from({ length: MANY_HEADERS }, (_, n) => [`X-Header-${n}`, each] as const);
  return { ...made, headers: [...made.headers, ...many] };
}
