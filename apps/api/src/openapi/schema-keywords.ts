/** A JSON Schema, draft 2020-12, as a handler gives it. */
export type Schema = boolean | SchemaObject;
export type SchemaObject = Record<string, unknown>;

/** Which keywords hold schemas, and how: one, a list of them, or one for each name. */
const HOLDERS: Record<string, 'one' | 'list' | 'map'> = {
  additionalProperties: 'one',
  allOf: 'list',
  anyOf: 'list',
  contains: 'one',
  contentSchema: 'one',
  dependentSchemas: 'map',
  else: 'one',
  if: 'one',
  items: 'one',
  not: 'one',
  oneOf: 'list',
  patternProperties: 'map',
  prefixItems: 'list',
  properties: 'map',
  propertyNames: 'one',
  // biome-ignore lint/suspicious/noThenProperty: this is the name of the keyword.
  then: 'one',
  unevaluatedItems: 'one',
  unevaluatedProperties: 'one',
};

/** Schemas that apply only where something refers to them. */
const STORES = ['$defs', 'definitions'];

/** The other keywords of draft 2020-12, which hold plain values. Readers of OpenAPI refuse what they do not know. */
export const VALUE_KEYWORDS: readonly string[] = [
  ...['type', 'const', 'enum', 'multipleOf', 'maximum', 'exclusiveMaximum', 'minimum', 'exclusiveMinimum'],
  ...[
    'maxLength',
    'minLength',
    'pattern',
    'maxItems',
    'minItems',
    'uniqueItems',
    'maxContains',
    'minContains',
  ],
  ...['maxProperties', 'minProperties', 'required', 'dependentRequired', 'format', 'contentEncoding'],
  ...[
    'contentMediaType',
    'title',
    'description',
    'default',
    'deprecated',
    'readOnly',
    'writeOnly',
    'examples',
  ],
];

/** Replaces every schema that a keyword of `schema` holds by what `replace` makes of it; answers those keywords only. */
export function mapSubschemas(
  schema: SchemaObject,
  replace: (child: Schema, keyword: string) => unknown,
): SchemaObject {
  const mapped = Object.entries(schema).flatMap(([keyword, value]) => {
    const kind = Object.hasOwn(HOLDERS, keyword) ? HOLDERS[keyword] : undefined;
    if (kind === 'one') return [[keyword, replace(value as Schema, keyword)]];
    if (kind === 'list') return [[keyword, (value as Schema[]).map((child) => replace(child, keyword))]];
    if (kind !== 'map') return [];
    const entries = Object.entries(value as Record<string, Schema>);
    return [[keyword, Object.fromEntries(entries.map(([name, child]) => [name, replace(child, keyword)]))]];
  });
  return Object.fromEntries(mapped);
}

/** Lists the schemas right below one, those too that apply only where something refers to them. */
export function subschemas(schema: SchemaObject): Schema[] {
  const stored = STORES.flatMap((store) => Object.values((schema[store] ?? {}) as Record<string, Schema>));
  const applied: Schema[] = [];
  mapSubschemas(schema, (child) => applied.push(child));
  return [...stored, ...applied];
}

/** Tells a schema from `true` and `false`, which are schemas too. */
export function isSchemaObject(value: unknown): value is SchemaObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
