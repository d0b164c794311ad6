import { createComponentNames } from './component-names.ts';

type Json = unknown;
type Members = Record<string, Json>;

/**
 * Moves every schema that has a `title` to the components, and leaves a reference where it stood: a generator then has
 * a name for its type, and one type for the same thing. Answers `document` with all its schemas moved.
 */
export function nameSchemas(document: Members, schemas: Members): { document: Members; schemas: Members } {
  const names = createComponentNames(Object.keys(schemas));
  const byText = new Map<string, string>();
  const named: Members = {};

  function move(value: Json, isComponent = false): Json {
    if (Array.isArray(value)) return value.map((item) => move(item));
    if (typeof value !== 'object' || value === null) return value;
    const moved = Object.fromEntries(membersOf(value).map(([key, inner]) => [key, moveMember(key, inner)]));
    const { title, ...schema } = moved;
    if (isComponent || typeof title !== 'string' || !isSchema(schema)) return moved;
    return { $ref: `#/components/schemas/${nameOf(title, schema)}` };
  }

  function moveMember(key: string, inner: Json): Json {
    if (HOLD_DATA.has(key)) return inner;
    // What did not come through the routes still has the short form of a reference.
    const isShort = key === '$ref' && typeof inner === 'string' && !inner.startsWith('#');
    return isShort ? `#/components/schemas/${inner}` : move(inner);
  }

  function nameOf(title: string, schema: Members): string {
    const text = JSON.stringify([title, schema]);
    const known = byText.get(text);
    if (known !== undefined) return known;
    const name = names.take(title);
    byText.set(text, name);
    named[name] = schema;
    return name;
  }

  const components = Object.entries(schemas).map(([name, schema]) => [
    name,
    withoutTitle(move(schema, true)),
  ]);
  return {
    document: move(document) as Members,
    schemas: { ...Object.fromEntries(components), ...named },
  };
}

/** Which branch is meant is clear from its `const`; a `discriminator` would need the names of the components. */
function membersOf(value: object): [string, Json][] {
  return Object.entries(value).filter(
    ([key, inner]) => !(key === 'discriminator' && typeof inner?.propertyName === 'string'),
  );
}

/** What is data, not schema, though it may look like one. */
const HOLD_DATA = new Set(['example', 'examples', 'default', 'const', 'enum']);

/** `info` has a title too. */
function isSchema(value: Members): boolean {
  return ['type', 'anyOf', 'oneOf', 'allOf', 'enum'].some((keyword) => Object.hasOwn(value, keyword));
}

function withoutTitle(schema: Json): Json {
  const { title: _, ...rest } = schema as Members;
  return rest;
}
