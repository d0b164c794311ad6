/** What a check costs, in branches of a union that do not fit: Ajv makes an error of each, some 100 ns. */
const COST = { value: 1, text: 0.2, object: 2, field: 0.05, pattern: 1 };

/** Within 16 KiB there are thousands of small values. Each may cost so much, for all of them to take some milliseconds. */
const MOST_OF_MANY = 24;
/** What one may cost that is there once. */
const MOST_OF_ONE = 20_000;
/** So many patterns may be held against one text: of 16 KiB each takes up to 0.1 ms. */
const MOST_PATTERNS = 40;

/** What is held against the very value that the schema itself is. */
const SAME_VALUE = ['allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else', 'dependentSchemas'];
/** What is held against a value within it, which is there once. */
const ONE_WITHIN = ['properties', 'prefixItems'];
/** What is held against values within it that there may be many of. */
const MANY_WITHIN = [
  'items',
  'contains',
  'additionalProperties',
  'patternProperties',
  'propertyNames',
  'unevaluatedItems',
  'unevaluatedProperties',
];
/** Keywords whose schemas have names. */
const NAMED = new Set(['properties', 'patternProperties', 'dependentSchemas']);

type Schema = Record<string, unknown>;

/**
 * Tells whether a value may be held against many alternatives where there may be many such values: a list of a thousand, each of
 * which is the last of two hundred branches, takes 200,000 checks.
 */
export function comparesWithMany(root: unknown): boolean {
  if (!isObject(root)) return false;
  const { costOf, costOfMany, patternsOf, repeated } = costsIn(root);
  return (
    costOf(root) > MOST_OF_ONE ||
    patternsOf(root) > MOST_PATTERNS ||
    costOfMany(root) > MOST_OF_MANY ||
    // Of a schema within itself there may be as many values as of the items of a list.
    [...repeated].some((schema) => costOf(schema) > MOST_OF_MANY)
  );
}

/**
 * Makes what answers the most that one value costs, that of a schema itself or one within it, the most that one costs which
 * there may be many of, and the most patterns that one text is held against. What stands in branches adds up. A schema within itself does not: what multiplies so is looked for elsewhere.
 */
function costsIn(root: Schema) {
  const repeated = new Set<Schema>();
  const remember = (compute: (schema: Schema) => number) => {
    const known = new Map<Schema, number | 'under way'>();
    return (schema: Schema): number => {
      const cost = known.get(schema);
      if (cost === 'under way') repeated.add(schema);
      if (cost !== undefined) return cost === 'under way' ? COST.value : cost;
      known.set(schema, 'under way');
      const computed = compute(schema);
      known.set(schema, computed);
      return computed;
    };
  };
  const branchesOf = (schema: Schema) => [...below(schema, SAME_VALUE), ...referred(root, schema)];
  const costOf: (schema: Schema) => number = remember(
    (schema) =>
      most(ownCost(schema), below(schema, [...ONE_WITHIN, ...MANY_WITHIN]).map(costOf)) +
      sum(branchesOf(schema).map(costOf)),
  );
  const costOfMany: (schema: Schema) => number = remember(
    (schema) =>
      most(ownCostOfNames(schema), [
        ...below(schema, MANY_WITHIN).map(costOf),
        ...below(schema, ONE_WITHIN).map(costOfMany),
      ]) + sum(branchesOf(schema).map(costOfMany)),
  );
  const patternsOf: (schema: Schema) => number = remember(
    (schema) =>
      most(ownPatterns(schema), below(schema, [...ONE_WITHIN, ...MANY_WITHIN]).map(patternsOf)) +
      sum(branchesOf(schema).map(patternsOf)),
  );
  return { costOf, costOfMany, patternsOf, repeated };
}

const sum = (costs: number[]) => costs.reduce((one, other) => one + other, 0);
const most = (own: number, costs: number[]) => costs.reduce((one, other) => Math.max(one, other), own);

/** Each of the names that there may be many of is held against each pattern. */
function ownCostOfNames({ patternProperties }: Schema): number {
  return Object.keys(patternProperties ?? {}).length * COST.pattern;
}

function ownPatterns({ pattern, format, patternProperties }: Schema): number {
  return (
    [pattern, format].filter((one) => one !== undefined).length + Object.keys(patternProperties ?? {}).length
  );
}

function ownCost(schema: Schema): number {
  const { enum: values, properties, required } = schema;
  const alternatives = Array.isArray(values) ? values : [];
  const fields = Object.keys(properties ?? {}).length + (Array.isArray(required) ? required.length : 0);
  return alternatives.reduce<number>(
    (sum, value) => sum + (isObject(value) ? COST.object : COST.text),
    COST.value + fields * COST.field + ownCostOfNames(schema),
  );
}

function below(schema: Schema, keywords: string[]): Schema[] {
  return keywords.flatMap((keyword) => {
    const value = schema[keyword];
    const isSeveral = Array.isArray(value) || (NAMED.has(keyword) && isObject(value));
    return (isSeveral ? Object.values(value) : [value]).filter(isObject);
  });
}

/** What a reference within the document leads to. */
function referred(root: unknown, { $ref }: Schema): Schema[] {
  if (typeof $ref !== 'string' || !$ref.startsWith('#')) return [];
  const steps = $ref.split('/').slice(1);
  const found = steps.reduce<unknown>(
    (at, step) => (isObject(at) ? at[step.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined),
    root,
  );
  return isObject(found) ? [found] : [];
}

function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null;
}
