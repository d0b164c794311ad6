import { type NamedSchemas, resolveSchema, type Schema, type SchemaObject } from '../document/schema.ts';

/** A place in a value, with the schema for what stands there. */
export interface ValuePlace {
  path: readonly (string | number)[];
  schema: SchemaObject;
  value: unknown;
}

const MAX_DEPTH = 12;

/** Lists the places in a value that the schema says something of, the whole first; one with alternatives is there for each of them. */
export function placesOf(
  value: unknown,
  given: Schema | undefined,
  named: NamedSchemas,
  path: ValuePlace['path'] = [],
): ValuePlace[] {
  const schema = resolveSchema(given, named);
  const here = { path, schema, value };
  if (path.length > MAX_DEPTH) return [here];
  const { anyOf = [], oneOf = [], ...own } = schema;
  const branches = [...anyOf, ...oneOf].flatMap((branch) =>
    placesOf(value, { allOf: [own, branch] }, named, path),
  );
  return [here, ...branches, ...placesInside(value, schema, named, path)];
}

function placesInside(
  value: unknown,
  schema: SchemaObject,
  named: NamedSchemas,
  path: ValuePlace['path'],
): ValuePlace[] {
  if (Array.isArray(value))
    return value.flatMap((item, index) => placesOf(item, schema.items, named, [...path, index]));
  if (typeof value !== 'object' || value === null) return [];
  const known = Object.entries(value).filter(([name]) => Object.hasOwn(schema.properties ?? {}, name));
  return known.flatMap(([name, inner]) => placesOf(inner, schema.properties?.[name], named, [...path, name]));
}

/** Answers a copy with something else at a place; `remove` takes out what is there. */
export function withChange(
  value: unknown,
  [step, ...rest]: ValuePlace['path'],
  change: { to: unknown } | 'remove',
): unknown {
  if (step === undefined) return change === 'remove' ? undefined : change.to;
  if (Array.isArray(value)) {
    const inner = withChange(value[Number(step)], rest, change);
    const isGone = rest.length === 0 && change === 'remove';
    return isGone ? value.toSpliced(Number(step), 1) : value.with(Number(step), inner);
  }
  const entries = Object.entries(value as object);
  const kept = entries.filter(([name]) => name !== step);
  const isGone = rest.length === 0 && change === 'remove';
  const inner = entries.find(([name]) => name === step)?.[1];
  // Makes a field of its own also of `__proto__`.
  return Object.fromEntries([
    ...kept,
    ...(isGone ? [] : [[String(step), withChange(inner, rest, change)] as const]),
  ]);
}
