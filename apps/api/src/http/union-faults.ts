import type { ErrorObject, ValidateFunction } from 'ajv';
import { choicesOfSchema } from './describe-fault.ts';

/** Compiles what stands in a schema, at a place such as `/anyOf/0`; `undefined` where the schema is of another document. */
export type SchemaBelow = (schema: object, path: string) => ValidateFunction | undefined;

/** How deep unions within unions are looked into: each level asks all its branches anew. */
const MAX_DEPTH = 8;
const MAX_UNIONS = 20;

/**
 * Replaces what Ajv says of a union that no branch of fits by what helps: a validator complains of every branch in turn,
 * though the client meant one. Errors inside `contains` and `propertyNames` are left out in favour of the one about the whole.
 */
export function settleUnions(
  errors: readonly ErrorObject[],
  schemaBelow: SchemaBelow,
  depth = 0,
): ErrorObject[] {
  let settled = errors.filter(
    (error) => error.keyword === 'propertyNames' || error.propertyName === undefined,
  );
  const composites = settled.filter(({ keyword }) => COMPOSITES.has(keyword));
  let left = MAX_UNIONS;
  // The outer one comes after those within it.
  for (const composite of composites.reverse()) {
    if (!settled.includes(composite)) continue;
    if (left-- === 0) break;
    const branches = branchErrors(composite, schemaBelow);
    const identities = new Set(branches.flat().map(identityOf));
    const others = settled.filter((error) => error !== composite && !identities.has(identityOf(error)));
    settled = [...others, ...decide(composite, branches, schemaBelow, depth)];
  }
  return settled;
}

const COMPOSITES = new Set(['anyOf', 'oneOf', 'contains']);

function decide(
  composite: ErrorObject,
  branches: ErrorObject[][],
  schemaBelow: SchemaBelow,
  depth: number,
): ErrorObject[] {
  if (composite.keyword === 'contains' || composite.params.passingSchemas || depth >= MAX_DEPTH)
    return [composite];
  const settled = branches.map((errors) => settleUnions(errors, schemaBelow, depth + 1));
  return (
    mergeTypes(composite, settled) ??
    mergeTags(settled) ??
    mergeMissingTags(composite, settled) ??
    closest(composite, settled) ?? [composite]
  );
}

/** All branches want another type: they are one fault that names all types. */
function mergeTypes(composite: ErrorObject, branches: ErrorObject[][]): ErrorObject[] | undefined {
  const first = branches.map((errors) => errors.find((error) => isAbout(error, composite)));
  if (!first.every((error) => error?.keyword === 'type')) return undefined;
  const types = first.flatMap((error) => error?.params.type ?? []);
  return [{ ...composite, keyword: 'type', params: { type: [...new Set(types)] } }];
}

/** No branch takes what the field says that tells them apart: one fault lists what all of them take. */
function mergeTags(branches: ErrorObject[][]): ErrorObject[] | undefined {
  const candidates = branches[0]?.filter(isChoice) ?? [];
  for (const candidate of candidates) {
    const same = branches.map((errors) =>
      errors.find((error) => isChoice(error) && error.instancePath === candidate.instancePath),
    );
    if (same.some((error) => error === undefined)) continue;
    const allowedValues = [...new Set(same.flatMap((error) => (error ? choicesOf(error) : [])))];
    return [{ ...candidate, keyword: 'enum', params: { allowedValues } }];
  }
  return undefined;
}

/** The field that tells the branches apart is not there: nobody can know whose other fields were meant. */
function mergeMissingTags(composite: ErrorObject, branches: ErrorObject[][]): ErrorObject[] | undefined {
  const isMissing = (error: ErrorObject) => error.keyword === 'required' && isAbout(error, composite);
  for (const candidate of branches[0]?.filter(isMissing) ?? []) {
    const { missingProperty } = candidate.params;
    const tags = branches.map((errors) =>
      errors
        .filter((error) => isMissing(error) && error.params.missingProperty === missingProperty)
        .flatMap(tagsOf),
    );
    const allowedValues = [...new Set(tags.flat())];
    if (tags.some((ofBranch) => ofBranch.length === 0) || allowedValues.length < 2) continue;
    return [{ ...candidate, params: { missingProperty, allowedValues } }];
  }
  return undefined;
}

/** Lists what a field that is missing may be, when it is one of a few values. */
function tagsOf({ params, parentSchema }: ErrorObject): unknown[] {
  if (params.allowedValues) return params.allowedValues;
  return choicesOfSchema(parentSchema?.properties?.[params.missingProperty]);
}

/** However much is wrong within a value, it is of its type; the tags of what lies deeper say nothing of its own. */
const WRONG_TYPE = 1e12;
const WRONG_TAG = 1e6;

/** The branch that the client most likely meant: the value is of its type, it has its tag, and little else is wrong. */
function closest(composite: ErrorObject, branches: ErrorObject[][]): ErrorObject[] | undefined {
  const weight = (error: ErrorObject) => {
    if (error.keyword === 'type' && isAbout(error, composite)) return WRONG_TYPE;
    return isChoice(error) && isOfField(error, composite) ? WRONG_TAG : 1;
  };
  const wrong = (errors: ErrorObject[]) => errors.reduce((sum, error) => sum + weight(error), 0);
  return branches.toSorted((one, other) => wrong(one) - wrong(other))[0];
}

function isChoice({ keyword }: ErrorObject): boolean {
  return keyword === 'const' || keyword === 'enum';
}

function choicesOf({ params }: ErrorObject): unknown[] {
  return params.allowedValues ?? [params.allowedValue];
}

function isAbout(error: ErrorObject, composite: ErrorObject): boolean {
  return error.instancePath === composite.instancePath;
}

function isOfField({ instancePath }: ErrorObject, composite: ErrorObject): boolean {
  return !instancePath.slice(composite.instancePath.length + 1).includes('/');
}

/** Asks each branch again by itself: in Ajv's list one cannot tell whose an error is. */
function branchErrors(composite: ErrorObject, schemaBelow: SchemaBelow): ErrorObject[][] {
  const { keyword, parentSchema, schema, data, instancePath } = composite;
  const within = (path: string) => parentSchema && schemaBelow(parentSchema, `/${keyword}${path}`);
  if (keyword === 'contains') {
    const items: unknown[] = Array.isArray(data) ? data : [];
    return items.map((item, index) => errorsOf(within(''), item, `${instancePath}/${index}`));
  }
  const branches: unknown[] = Array.isArray(schema) ? schema : [];
  return branches.map((_, index) => errorsOf(within(`/${index}`), data, instancePath));
}

function errorsOf(validate: ValidateFunction | undefined, value: unknown, path: string): ErrorObject[] {
  if (!validate || validate(value)) return [];
  return (validate.errors ?? []).map((error) => ({ ...error, instancePath: path + error.instancePath }));
}

const numbers = new WeakMap<object, number>();
let lastNumber = 0;

/** The same error has the same value's place, keyword and schema, whoever reports it. */
function identityOf({ instancePath, keyword, parentSchema, params }: ErrorObject): string {
  return `${numberOf(parentSchema)} ${keyword} ${instancePath} ${JSON.stringify(params)}`;
}

function numberOf(schema: unknown): number {
  // `false` is a schema too.
  if (typeof schema !== 'object' || schema === null) return 0;
  const number = numbers.get(schema) ?? ++lastNumber;
  numbers.set(schema, number);
  return number;
}
