import type { Pantry } from './cook.ts';
import type { Choices } from './search.ts';
import { SHAPES } from './shapes.ts';
import { HEADERS, QUERY_WORDS, WORDS } from './words.ts';

/** The largest body that is taken by default, and the largest that is not read in a thread; and one between. */
const BODY_SIZES = [2 ** 20 - 1_000, 16 * 1_024 - 100, 128 * 1_024];
/** Node takes 16 KiB of headers, the line of the request among them. */
const HEADER_SIZES = [14_500, 7_000];
const PAYLOAD_SIZES = [16 * 1_024 - 100, 2_000, 60, 2 ** 20 - 1_000];

type Chosen = Choices['places'][number];

/** Lists every place of every operation: in its body, in its query, and in its headers. */
export function choicesOfRequests({ operations }: Pantry): Choices {
  const places = [...operations.values()].flatMap(({ operation, places: inBody }): Chosen[] => {
    const named = (kind: string) => operation.parameters.filter((parameter) => parameter.in === kind);
    const headers = [...HEADERS, ...named('header').map(({ name }) => name), ''];
    const place = (text: string) => ({
      operation: operation.id,
      place: text,
      shape: '',
      bytes: 0,
      isKeyed: false,
    });
    return [
      ...[...inBody.keys()].flatMap((pointer): Chosen[] =>
        // A body costs more than the rest, in more ways.
        Array(3).fill({ recipe: place(pointer), shapes: Object.keys(SHAPES), sizes: BODY_SIZES }),
      ),
      ...['', ...named('query').map(({ name }) => name)].map((name) => ({
        recipe: place(`?${name}`),
        shapes: Object.keys(QUERY_WORDS),
        sizes: HEADER_SIZES,
      })),
      ...[...new Set(headers)].map((name) => ({
        recipe: place(`${name}:`),
        shapes: Object.keys(WORDS),
        sizes: HEADER_SIZES,
      })),
    ];
  });
  return { places, parts: Object.keys(SHAPES) };
}

/** Lists the schemas of job types that were made, with the payloads that are slowest to check by them. */
export function choicesOfSchemas({ schemas }: Pantry): Choices {
  const places = schemas.map((_, schema) => ({
    recipe: { operation: 'submitJob', place: '/payload', shape: '', bytes: 0, isKeyed: false, schema },
    shapes: ['the worst of its schema'],
    sizes: PAYLOAD_SIZES,
  }));
  return { places, parts: ['small numbers'] };
}
