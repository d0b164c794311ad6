import fc from 'fast-check';
import { resolveSchema, type Schema, type SchemaObject, typesOf } from '../document/schema.ts';
import type { Context } from './context.ts';
import { chooseFields, drawByMeaning, type Place } from './meanings.ts';
import { drawNumber, drawText } from './valid-scalars.ts';

/** Below this only what is required is there, so that a schema that holds itself comes to an end. */
const MAX_DEPTH = 5;
const MORE_ITEMS = 3;
/** How many of the fields that may be left out are there, in one object or the other. */
const SHARES_OF_OPTIONAL = [0, 0.1, 0.3, 0.9];
const MAX_FREE_FIELDS = 3;

/** Draws a value that the schema takes, or nearly always does: `not`, `pattern` beside `format` and the like are not looked at. */
export function drawValue(outer: Context, given: Schema | undefined, place: Place, depth = 0): unknown {
  const schema = resolveSchema(given, outer.schemas);
  // What is known already must not change what is drawn after this.
  const context = { ...outer, draw: outer.draw.fork() };
  if (Object.hasOwn(schema, 'const')) return schema.const;
  if (schema.enum) return context.draw.pick(schema.enum);
  const meant = drawByMeaning(context, schema, place);
  if (meant !== undefined) return meant;
  const { anyOf, oneOf, ...own } = schema;
  const branches = anyOf ?? oneOf;
  if (branches?.length)
    return drawValue(context, { allOf: [own, context.draw.pick(branches)] }, place, depth + 1);
  return drawTyped(context, schema, place, depth);
}

function drawTyped(context: Context, schema: SchemaObject, place: Place, depth: number): unknown {
  const { draw } = context;
  const types = typesOf(schema);
  switch (types.length === 0 ? 'any' : draw.pick(types)) {
    case 'object':
      return drawObject(context, schema, depth);
    case 'array':
      return drawArray(context, schema, place, depth);
    case 'string':
      return drawText(draw, schema, context);
    case 'integer':
      return drawNumber(draw, schema, true);
    case 'number':
      return drawNumber(draw, schema, false);
    case 'boolean':
      return draw.chance(0.5);
    case 'null':
      return null;
    default:
      return place.name === 'payload' ? drawPayload(context, depth) : drawAny(context);
  }
}

/** A payload that the type of some job takes, where the document leaves open which. */
function drawPayload(context: Context, depth: number): unknown {
  const payloads = Object.keys(context.schemas).filter((name) => name.startsWith('Payload.'));
  if (payloads.length === 0 || context.draw.chance(0.2)) return drawAny(context);
  return drawValue(context, context.schemas[context.draw.pick(payloads)], { name: '' }, depth + 1);
}

const ANY_JSON = fc.jsonValue({ maxDepth: 3, stringUnit: 'grapheme' });

function drawAny({ draw }: Context): unknown {
  return draw.value(ANY_JSON);
}

function drawObject(context: Context, schema: SchemaObject, depth: number): object {
  const { draw } = context;
  const share = draw.pick(SHARES_OF_OPTIONAL);
  const properties = Object.entries(schema.properties ?? {});
  const optional = new Set(
    properties.flatMap(([name]) => (draw.chance(share) && depth < MAX_DEPTH ? [name] : [])),
  );
  const isThere = chooseFields(
    context,
    schema,
    (name) => optional.has(name) || !!schema.required?.includes(name),
  );
  const fields = properties
    .filter(([name]) => isThere(name))
    .map(([name, field]): [string, unknown] => [name, drawValue(context, field, { name }, depth + 1)]);
  return Object.fromEntries([
    ...fields,
    ...(depth < MAX_DEPTH ? drawFreeFields(context, schema, depth) : []),
  ]);
}

/** Fields of any name, where the schema says what stands in such. */
function drawFreeFields(context: Context, schema: SchemaObject, depth: number): [string, unknown][] {
  const { draw } = context;
  const free = Object.values(schema.patternProperties ?? {})[0] ?? schema.additionalProperties;
  if (free === undefined || free === false) return [];
  const nameSchema = resolveSchema(schema.propertyNames, context.schemas);
  const count = draw.pick([0, 1, MAX_FREE_FIELDS]);
  return Array.from({ length: count }, () => {
    const name = drawText(draw, { maxLength: 20, ...nameSchema }, context);
    return [name, drawValue(context, free, { name: '' }, depth + 1)];
  });
}

function drawArray(context: Context, schema: SchemaObject, place: Place, depth: number): unknown[] {
  const { minItems = 0, maxItems = Number.POSITIVE_INFINITY, uniqueItems, description } = schema;
  const more = depth < MAX_DEPTH ? context.draw.pick([0, 1, MORE_ITEMS]) : 0;
  const items = Array.from({ length: Math.min(maxItems, minItems + more) }, () => {
    const item = resolveSchema(schema.items, context.schemas);
    // What ids are listed stands at the list.
    return drawValue(context, { ...(description && { description }), ...item }, place, depth + 1);
  });
  return uniqueItems ? items.filter((item, index) => indexOfSame(items, item) === index) : items;
}

function indexOfSame(items: unknown[], item: unknown): number {
  const text = JSON.stringify(item);
  return items.findIndex((other) => JSON.stringify(other) === text);
}
