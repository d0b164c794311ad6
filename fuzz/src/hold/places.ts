import type { Operation } from '../document/api-document.ts';
import { resolveSchema } from '../document/schema.ts';
import type { Context } from '../generate/context.ts';
import { placesOf, withChange } from '../generate/places.ts';
import { RawJson, writeJson } from '../generate/raw-json.ts';
import { drawValue } from '../generate/valid-value.ts';

/** A place in the body of an operation, in a body that is right but for what is put there. */
export interface BodyPlace {
  pointer: string;
  before: string;
  after: string;
  /** Items that its schema takes, where it is a list. */
  items: string[];
}

/** So many bodies are drawn: fields that may be left out are not in each of them. */
const BODIES = 12;
const ITEMS = 20;
const MARK = '\u{1F573}mark\u{1F573}';

/** Lists the places in the bodies of an operation; what is listed or named freely is one of them. */
export function bodyPlaces(
  { id, body }: Operation,
  contextOf: (seed: string) => Context,
  type: string,
): BodyPlace[] {
  if (!body) return [];
  const places = new Map<string, BodyPlace>();
  for (let number = 0; number < BODIES; number += 1) {
    const context = contextOf(`${id} ${number}`);
    const value = ofType(drawValue(context, body.schema, { name: '' }), type);
    for (const { path, schema } of placesOf(value, body.schema, context.schemas)) {
      const pointer = path.map((step) => `/${typeof step === 'number' ? '*' : step}`).join('');
      if (places.has(pointer)) continue;
      const text = writeJson(withChange(value, path, { to: new RawJson(MARK) }));
      const [before = '', after = ''] = text.split(MARK);
      const item = resolveSchema(schema.items, context.schemas);
      const items = Array.from({ length: schema.items === undefined ? 0 : ITEMS }, () =>
        JSON.stringify(drawValue(context, item, { name: path.at(-1)?.toString() ?? '' })),
      );
      places.set(pointer, { pointer, before, after, items });
    }
  }
  return [...places.values()];
}

/** A job that its type takes as it is, so that it gets as far as it can. */
function ofType(body: unknown, type: string): unknown {
  const isJob = typeof body === 'object' && body !== null && 'type' in body && 'payload' in body;
  return isJob ? { ...body, type, queue: 'default' } : body;
}
