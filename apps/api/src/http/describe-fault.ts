import type { ErrorObject } from 'ajv';
import { formatWords } from './format-words.ts';
import { MAX_JSON_BYTES } from './json-bytes-keyword.ts';
import { count, listOf, show, suggestion, typeOf, typeWords } from './value-words.ts';

/** An error of Ajv that carries the value and the schema it is about, as `verbose` makes it do. */
type Described = Pick<ErrorObject, 'params' | 'data' | 'parentSchema'>;

type Describe = (error: Described, isText: boolean) => string;

const unknownField =
  (parameter: string): Describe =>
  ({ params, parentSchema }) => {
    const known = Object.keys(parentSchema?.properties ?? {});
    const guess = suggestion(String(params[parameter]), known, '`');
    if (guess || known.length === 0) return `There is no such field.${guess}`;
    return `There is no such field; there are ${listOf(
      known.map((name) => `\`${name}\``),
      'and',
    )}.`;
  };

const COMPARISONS: Record<string, string> = {
  '>=': 'or more',
  '<=': 'or less',
};

const limit: Describe = ({ params }) => {
  const { comparison, limit } = params;
  if (COMPARISONS[comparison]) return `It must be ${limit} ${COMPARISONS[comparison]}.`;
  return `It must be ${comparison === '>' ? 'more' : 'less'} than ${limit}.`;
};

const size =
  (bound: 'at least' | 'at most', noun: string): Describe =>
  ({ params }) =>
    `It must have ${bound} ${count(params.limit, noun)}.`;

const tooManyItems: Describe = ({ params }) =>
  `It must have at most ${count(params.limit ?? params.len, 'item')}.`;

const dependency: Describe = ({ params }) => `This field is required when \`${params.property}\` is given.`;

/** Says of every keyword of JSON Schema what a value that breaks it has to be, as a sentence about the value. */
export const KEYWORDS: Record<string, Describe> = {
  additionalItems: tooManyItems,
  additionalProperties: unknownField('additionalProperty'),
  anyOf: ({ parentSchema }) => alternatives('none', parentSchema?.anyOf),
  const: ({ params }) => `It must be ${show(params.allowedValue)}.`,
  contains: ({ params, parentSchema }) => {
    const { minContains, maxContains } = params;
    const bound = maxContains === undefined ? 'at least' : 'at most';
    const wanted = parentSchema?.contains?.description;
    const which = wanted ? `of this kind: ${sentence(wanted)}` : 'of the kind that this list needs.';
    const isExact = minContains === maxContains;
    const amount =
      isExact || bound === 'at least'
        ? count(minContains, 'item')
        : `${minContains} to ${count(maxContains, 'item')}`;
    return `It must have ${isExact ? 'exactly' : bound === 'at least' ? 'at least' : 'from'} ${amount} ${which}`;
  },
  dependencies: dependency,
  dependentRequired: dependency,
  discriminator: ({ params, parentSchema, data }) => {
    const { tag } = params;
    const tags = branchesOf(parentSchema).flatMap((branch) => choicesOfSchema(branch.properties?.[tag]));
    const given = (data as Record<string, unknown> | undefined)?.[tag];
    return given === undefined ? missing(tags) : oneOfThese(tags, given);
  },
  enum: ({ params, data }) => oneOfThese(params.allowedValues, data),
  exclusiveMaximum: limit,
  exclusiveMinimum: limit,
  'false schema': () => 'Nothing may be given here.',
  format: ({ params }) => `It must be ${formatWords(params.format)}.`,
  if: () => 'It does not go with the other values that are given.',
  items: tooManyItems,
  maximum: limit,
  maxItems: size('at most', 'item'),
  maxLength: size('at most', 'character'),
  maxProperties: size('at most', 'field'),
  minimum: limit,
  minItems: size('at least', 'item'),
  minLength: size('at least', 'character'),
  minProperties: size('at least', 'field'),
  multipleOf: ({ params }) => `It must be a multiple of ${params.multipleOf}.`,
  [MAX_JSON_BYTES]: ({ parentSchema }) =>
    `It may take at most ${parentSchema?.[MAX_JSON_BYTES]} bytes as JSON.`,
  not: ({ parentSchema }) => excluded(parentSchema?.not),
  oneOf: ({ params, parentSchema }) =>
    alternatives(params.passingSchemas ? 'several' : 'none', parentSchema?.oneOf),
  pattern: ({ params, parentSchema }) =>
    parentSchema?.description
      ? `It does not have the form that is wanted: ${sentence(parentSchema.description)}`
      : `It must have the form of the regular expression ${params.pattern}.`,
  propertyNames: () => 'A field of this name is not allowed.',
  required: ({ params }) => missing(params.allowedValues ?? []),
  type: ({ params, data }, isText) => {
    const wanted = typeWords([params.type].flat());
    return isText ? `It must be ${wanted}.` : `It must be ${wanted}, not ${typeOf(data)}.`;
  },
  unevaluatedItems: tooManyItems,
  unevaluatedProperties: unknownField('unevaluatedProperty'),
  uniqueItems: ({ params: { i, j } }) =>
    `The items ${Math.min(i, j)} and ${Math.max(i, j)} are the same, and all must differ.`,
};

/** Writes the sentence about a value that breaks `keyword`; `isText` when all values come as text, as in a query. */
export function describeFault(keyword: string, error: Described, isText: boolean): string {
  const describe = Object.hasOwn(KEYWORDS, keyword) ? KEYWORDS[keyword] : undefined;
  return describe?.(error, isText) ?? 'It is not what is wanted here.';
}

function oneOfThese(allowed: unknown[], given: unknown): string {
  const words = allowed.filter((value) => typeof value === 'string');
  const guess = typeof given === 'string' ? suggestion(given, words, '"') : '';
  return `It must be ${choice(allowed)}.${guess}`;
}

/** `allowed` is empty where the field may be many things. */
function missing(allowed: unknown[]): string {
  return `This field is required${allowed.length > 0 ? `, and must be ${choice(allowed)}` : ''}.`;
}

function choice(allowed: unknown[]): string {
  return allowed.length === 1 ? show(allowed[0]) : `one of ${listOf(allowed.map(show))}`;
}

function alternatives(fitting: 'none' | 'several', branches: unknown): string {
  const described = (Array.isArray(branches) ? branches : [])
    .map((branch) => branch?.title ?? branch?.description)
    .filter((text) => typeof text === 'string');
  const names = described.length > 0 ? ` These are: ${sentence(listOf(described))}` : '';
  return fitting === 'several'
    ? `It fits more than one of the forms that are possible here, and must fit only one.${names}`
    : `It has none of the forms that are possible here.${names}`;
}

function excluded(schema: unknown): string {
  const { type, const: value, enum: values, description } = (schema ?? {}) as Record<string, unknown>;
  if (schema !== null && typeof schema === 'object') {
    if (Object.hasOwn(schema, 'const')) return `It must be something else than ${show(value)}.`;
    if (Array.isArray(values)) return `It must be something else than ${listOf(values.map(show))}.`;
    if (type !== undefined && Object.keys(schema).length === 1)
      return `It must be something else than ${typeWords([type].flat().map(String))}.`;
    if (typeof description === 'string')
      return `It must be something else than this: ${sentence(description)}`;
  }
  return 'It is one of the values that are ruled out here.';
}

interface Branch {
  properties?: Record<string, unknown>;
}

function branchesOf(schema: unknown): Branch[] {
  const { oneOf, anyOf } = (schema ?? {}) as { oneOf?: Branch[]; anyOf?: Branch[] };
  return oneOf ?? anyOf ?? [];
}

/** Lists the values that a schema allows by `enum` or `const`; none where it has neither. */
export function choicesOfSchema(schema: unknown): unknown[] {
  const { enum: values, const: value } = (schema ?? {}) as { enum?: unknown[]; const?: unknown };
  return values ?? (value === undefined ? [] : [value]);
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
