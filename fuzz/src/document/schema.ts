/** A JSON Schema (2020-12), as far as this code looks at one. */
export type Schema = boolean | SchemaObject;

export interface SchemaObject {
  $ref?: string;
  description?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  allOf?: Schema[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  properties?: Record<string, Schema>;
  patternProperties?: Record<string, Schema>;
  additionalProperties?: Schema;
  propertyNames?: Schema;
  required?: string[];
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
}

/** The schemas of a document that have a name: `components.schemas`. */
export type NamedSchemas = Readonly<Record<string, Schema>>;

const NAMED = '#/components/schemas/';

/** Follows references, and puts the parts of an `allOf` together; what is `true` or `false` is as good as no schema. */
export function resolveSchema(schema: Schema | undefined, named: NamedSchemas): SchemaObject {
  if (typeof schema !== 'object') return {};
  const { $ref, allOf = [], ...own } = schema;
  const referred = $ref?.startsWith(NAMED) ? named[$ref.slice(NAMED.length)] : undefined;
  const parts = [...(referred === undefined ? [] : [referred]), ...allOf];
  return parts.map((part) => resolveSchema(part, named)).reduce(merge, own);
}

function merge(one: SchemaObject, other: SchemaObject): SchemaObject {
  return {
    ...one,
    ...other,
    ...((one.properties || other.properties) && { properties: mergeProperties(one, other) }),
    ...((one.required || other.required) && {
      required: [...new Set([...(one.required ?? []), ...(other.required ?? [])])],
    }),
  };
}

function mergeProperties(one: SchemaObject, other: SchemaObject): Record<string, Schema> {
  const both = { ...one.properties };
  for (const [name, schema] of Object.entries(other.properties ?? {})) {
    const known = both[name];
    both[name] = known === undefined ? schema : { allOf: [known, schema] };
  }
  return both;
}

/** Lists the types that a value of this schema can have; all of them where it says none. */
export function typesOf({ type, properties, items }: SchemaObject): string[] {
  if (type !== undefined) return [type].flat();
  if (properties) return ['object'];
  if (items !== undefined) return ['array'];
  return [];
}
