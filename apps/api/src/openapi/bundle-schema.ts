import type { ComponentNames } from './component-names.ts';
import { indexSchema, type SchemaIndex } from './schema-index.ts';
import {
  isSchemaObject,
  mapSubschemas,
  type Schema,
  type SchemaObject,
  VALUE_KEYWORDS,
} from './schema-keywords.ts';

/** What stands for a schema that nothing is known of. */
export const ANYTHING: SchemaObject = {};
const NOTHING: SchemaObject = { not: {} };

/** Where generators know `true` and `false`; everywhere else they expect an object. */
const BOOLEANS_KNOWN = new Set(['additionalProperties', 'unevaluatedProperties']);

/** May stand beside `$ref` without changing what it means. */
const ANNOTATIONS = new Set([
  'title',
  'description',
  'deprecated',
  'examples',
  'default',
  'readOnly',
  'writeOnly',
]);

/**
 * Makes components of OpenAPI 3.1 out of one JSON Schema: the whole under `name`, and whatever it refers to under names
 * of its own. `$id`, `$anchor` and `$defs` are gone and every `$ref` names a component, because generators of clients
 * resolve references in no other way. A reference that leads out of the schema allows anything, and so does one that
 * leads back without an object between, which types cannot say.
 */
export function bundleSchema(
  name: string,
  schema: Schema,
  names: ComponentNames,
): Record<string, SchemaObject> {
  if (!isSchemaObject(schema)) return { [name]: schema ? ANYTHING : NOTHING };
  const index = indexSchema(schema);
  const targets = findTargets(schema, index);
  const nameOf = new Map<SchemaObject, string>([[schema, name]]);
  for (const [target, wish] of targets) {
    if (target !== schema) nameOf.set(target, names.take(`${name}.${wish}`));
  }
  const write = createWriter(index, nameOf);
  return Object.fromEntries([...nameOf].map(([target, component]) => [component, write(target)]));
}

/** Lists the schemas that the ones in force refer to, with the word that the reference has for each. */
function findTargets(root: SchemaObject, index: SchemaIndex): Map<SchemaObject, string> {
  const targets = new Map<SchemaObject, string>();
  const seen = new Set<Schema>();
  const visit = (schema: Schema): void => {
    if (!isSchemaObject(schema) || seen.has(schema)) return;
    seen.add(schema);
    for (const { target, reference } of referencesOf(schema, index)) {
      if (isSchemaObject(target) && !targets.has(target)) targets.set(target, lastWordOf(reference));
      if (target !== undefined) visit(target);
    }
    mapSubschemas(schema, visit);
  };
  visit(root);
  return targets;
}

function referencesOf(schema: SchemaObject, index: SchemaIndex) {
  const keywords = (['$ref', '$dynamicRef'] as const).filter(
    (keyword) => typeof schema[keyword] === 'string',
  );
  return keywords.map((keyword) => ({
    reference: String(schema[keyword]),
    target: index.resolve(schema, keyword),
  }));
}

function lastWordOf(reference: string): string {
  const word = reference.split(/[/#]/).findLast((part) => part !== '') ?? '';
  return word.replace(/^[^A-Za-z0-9]+/, '') || 'part';
}

/** Writes schemas the way OpenAPI has them. */
function createWriter(index: SchemaIndex, nameOf: ReadonlyMap<SchemaObject, string>) {
  const circles = findCircles(index, nameOf);

  function reference(target: SchemaObject, component: SchemaObject, isDirect: boolean): SchemaObject {
    if (isDirect && circles.get(target)?.has(component)) return ANYTHING;
    return { $ref: `#/components/schemas/${nameOf.get(target)}` };
  }

  return function write(component: SchemaObject): SchemaObject {
    function place(child: Schema, isDirect: boolean, keyword = ''): unknown {
      if (!isSchemaObject(child)) {
        if (BOOLEANS_KNOWN.has(keyword)) return child;
        return child ? ANYTHING : NOTHING;
      }
      if (child !== component && nameOf.has(child)) return reference(child, component, isDirect);
      return writeOne(child, isDirect);
    }

    function writeOne(schema: SchemaObject, isDirect: boolean): SchemaObject {
      const own = {
        ...plainValues(schema),
        ...mapSubschemas(withAllRequired(withoutProto(schema)), (child, keyword) =>
          place(child, isDirect && !IN_MEMBERS.has(keyword), keyword),
        ),
      };
      const references = referencesOf(schema, index).map(({ target }) => {
        if (!isSchemaObject(target)) return target === false ? NOTHING : ANYTHING;
        return reference(target, component, isDirect);
      });
      return joined(own, references);
    }

    return writeOne(component, true);
  };
}

/** What these hold is about the members of an object, so a type may well refer to itself there. */
const IN_MEMBERS = new Set([
  'additionalProperties',
  'dependentSchemas',
  'patternProperties',
  'properties',
  'unevaluatedProperties',
]);

/**
 * Finds for each component the others that it leads to without an object between them, and itself where it leads back.
 * TypeScript refuses a member whose type is such a circle, as in `list: string | list[]`.
 */
function findCircles(
  index: SchemaIndex,
  nameOf: ReadonlyMap<SchemaObject, string>,
): Map<SchemaObject, Set<SchemaObject>> {
  const direct = new Map([...nameOf.keys()].map((component) => [component, new Set<SchemaObject>()]));
  for (const [component, targets] of direct) {
    const visit = (schema: Schema): void => {
      if (!isSchemaObject(schema)) return;
      for (const { target } of referencesOf(schema, index)) if (isSchemaObject(target)) targets.add(target);
      mapSubschemas(schema, (child, keyword) => {
        if (IN_MEMBERS.has(keyword) || !isSchemaObject(child)) return;
        if (nameOf.has(child)) targets.add(child);
        else visit(child);
      });
    };
    visit(component);
  }
  return new Map([...direct.keys()].map((component) => [component, reachable(component, direct)]));
}

function reachable(
  start: SchemaObject,
  edges: ReadonlyMap<SchemaObject, ReadonlySet<SchemaObject>>,
): Set<SchemaObject> {
  const found = new Set<SchemaObject>();
  const pending = [start];
  for (let at = pending.pop(); at; at = pending.pop()) {
    for (const next of edges.get(at) ?? []) {
      if (found.has(next)) continue;
      found.add(next);
      pending.push(next);
    }
  }
  return found;
}

/** Takes the plain values over. A default goes into the description: generators take a field with one for always there. */
function plainValues(schema: SchemaObject): SchemaObject {
  const known = VALUE_KEYWORDS.filter((keyword) => Object.hasOwn(schema, keyword));
  const values = known.map((keyword) => [keyword, schema[keyword]] as const);
  const { default: fallback, ...plain } = Object.fromEntries(
    values.filter(([, value]) => !looksLikeReference(value)),
  );
  if (fallback === undefined) return plain;
  const description = [plain.description, `Default: ${JSON.stringify(fallback)}.`].filter(Boolean).join(' ');
  return { ...plain, description };
}

/** Puts references beside what else a schema says; many generators overlook what stands next to a `$ref`. */
function joined(own: SchemaObject, references: unknown[]): SchemaObject {
  if (references.length === 0) return own;
  const [first] = references;
  const isPlain = references.length === 1 && Object.keys(own).every((keyword) => ANNOTATIONS.has(keyword));
  if (isPlain) return { ...own, ...(first as SchemaObject) };
  return { ...own, allOf: [...((own.allOf as unknown[] | undefined) ?? []), ...references] };
}

/** A field of this name is refused before any schema is asked, and generators trip over it. */
function withoutProto(schema: SchemaObject): SchemaObject {
  const { properties } = schema;
  if (!isSchemaObject(properties) || !Object.hasOwn(properties, '__proto__')) return schema;
  const others = Object.entries(properties).filter(([name]) => name !== '__proto__');
  return { ...schema, properties: Object.fromEntries(others) };
}

/** Gives a name to what is required and not described; where other fields are refused that would change the meaning. */
function withAllRequired(schema: SchemaObject): SchemaObject {
  const { required, properties = {} } = schema;
  const isClosed = 'additionalProperties' in schema || 'unevaluatedProperties' in schema;
  if (!Array.isArray(required) || isClosed || !isSchemaObject(properties)) return schema;
  const missing = required.filter((name) => !Object.hasOwn(properties, name) && name !== '__proto__');
  if (missing.length === 0) return schema;
  const added = Object.fromEntries(missing.map((name) => [name, ANYTHING]));
  return { ...schema, properties: { ...properties, ...added } };
}

/** A plain value that has a field `$ref`, such as a default, would be taken for a reference by whoever reads on. */
function looksLikeReference(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([name, inner]) => name === '$ref' || looksLikeReference(inner));
}
