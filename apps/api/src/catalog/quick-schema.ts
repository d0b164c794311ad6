import { type FormatName, fullFormats } from 'ajv-formats/dist/formats.js';
import { isSafe } from 'redos-detector';
import { comparesWithMany } from './checks-per-value.ts';

/** Comparing each of so few items with each other takes no time. */
const FEW_ITEMS = 100;
const SCALARS = ['string', 'number', 'integer', 'boolean', 'null'];

/** These check a value, or a part of it, once more than what stands beside them does. */
const CHECKING_AGAIN = [
  'allOf',
  'contains',
  'dependentSchemas',
  'else',
  'if',
  'not',
  'patternProperties',
  'then',
  'unevaluatedItems',
  'unevaluatedProperties',
];
const BELOW_A_REFERENCE = ['properties', 'additionalProperties', 'items', 'prefixItems', 'anyOf', 'oneOf'];

type Schema = Record<string, unknown>;

/** A pattern that needs longer to be looked at is not worth it. */
const MAX_LOOK_MS = 500;

/**
 * Tells whether a check by this JSON Schema takes no longer than in proportion to the value, however that is made. Four
 * things take longer: a regular expression that looks for its way back and forth, comparing all objects of a list with each
 * other, holding each of many values against many alternatives, and a schema that refers to itself and checks the same value
 * twice, which doubles with every level of a value.
 *
 * It errs on the side of "no": that costs a way to a thread. Looking at a pattern may take as long as `MAX_LOOK_MS`.
 */
export function isQuickSchema(schema: unknown): boolean {
  return isQuickButForPatterns(schema) && patternsOf(schema).every(isLinear);
}

/** Answers what can be told of a schema at once. */
export function isQuickButForPatterns(schema: unknown): boolean {
  const parts = partsOf(schema);
  const mayMultiply = parts.some(refers) && parts.some(checksAgain);
  return !mayMultiply && !parts.some(comparesMany) && !comparesWithMany(schema);
}

/** Lists the regular expressions of a schema, those of its formats among them. */
export function patternsOf(schema: unknown): RegExp[] {
  return partsOf(schema).flatMap(({ pattern, patternProperties, format }) => [
    ...[pattern, ...Object.keys(patternProperties ?? {})].flatMap(regExpOf),
    ...patternOfFormat(format),
  ]);
}

/** Lists all objects within a schema, itself among them. */
function partsOf(schema: unknown): Schema[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const inner = Object.values(schema).flatMap(partsOf);
  return Array.isArray(schema) ? inner : [schema as Schema, ...inner];
}

function refers(part: Schema): boolean {
  return part.$ref !== undefined || part.$dynamicRef !== undefined;
}

function checksAgain(part: Schema): boolean {
  const has = (keyword: string) => part[keyword] !== undefined;
  if (CHECKING_AGAIN.some(has)) return true;
  if (refers(part)) return BELOW_A_REFERENCE.some(has);
  return [part.anyOf, part.oneOf].some(overlaps);
}

/** Of branches for values of different types only one is gone into. */
function overlaps(branches: unknown): boolean {
  if (!Array.isArray(branches)) return false;
  const deep = branches.filter((branch) => partsOf(branch).some(refers));
  const types = deep.flatMap(({ type }) => type);
  return deep.length > 1 && (types.includes(undefined) || new Set(types).size < types.length);
}

function comparesMany({ uniqueItems, items, maxItems }: Schema): boolean {
  if (uniqueItems !== true || (typeof maxItems === 'number' && maxItems <= FEW_ITEMS)) return false;
  // Ajv finds equal texts and numbers by a table.
  const types = [(items as Schema | undefined)?.type].flat();
  return !types.every((type) => SCALARS.includes(String(type)));
}

/** Ajv reads patterns as Unicode. With one that is none a schema cannot be compiled. */
function regExpOf(pattern: unknown): RegExp[] {
  if (typeof pattern !== 'string') return [];
  try {
    return [new RegExp(pattern, 'u')];
  } catch {
    return [];
  }
}

function patternOfFormat(name: unknown): RegExp[] {
  const format = Object.hasOwn(fullFormats, String(name)) ? fullFormats[name as FormatName] : undefined;
  const validate = typeof format === 'object' && 'validate' in format ? format.validate : format;
  return validate instanceof RegExp ? [validate] : [];
}

/** A look ahead that stands right behind `^`, without a group of its own. */
const LOOKS_AT_START = /^\^(\(\?[=!]([^()\\]|\\.)*\))*/u;
const LOOKS_AROUND = /\(\?<?[=!]/u;

/**
 * A pattern with a bound on how often it may go back takes a bounded time for each character. What looks around goes back to
 * where it stood without being counted: at the start of the text that is once, elsewhere it may be at each character.
 */
function isLinear(pattern: RegExp): boolean {
  if (LOOKS_AROUND.test(pattern.source.replace(LOOKS_AT_START, ''))) return false;
  try {
    return isSafe(pattern, { timeout: MAX_LOOK_MS }).safe;
  } catch {
    return false;
  }
}
