import type { Ajv, AnySchema, ErrorObject, ValidateFunction } from 'ajv';
import { escapePointer } from '../json/scan-json.ts';
import { describeFault } from './describe-fault.ts';
import type { Fault } from './problem.ts';
import { schemaPointers } from './schema-pointers.ts';
import { type SchemaBelow, settleUnions } from './union-faults.ts';

const MAX_FAULTS = 50;
/** Of so many something is said; comparing more with each other would take long, and nobody reads them. */
const MAX_ERRORS = 1_000;

/** Says everything that is wrong with a value; nothing when it is right. */
export type FindFaults = (value: unknown) => Fault[];

/** Where a value stands in a request. */
export interface Place {
  /** What pointers to it start with. */
  prefix: string;
  /** Its parts come as text, as those of a query do: of what type they are says nothing. */
  isText?: boolean;
}

/** Counts the schemas, so that each has a name of its own in its Ajv. */
let lastNumber = 0;

/**
 * Compiles a schema into a check that says what is wrong in words for clients, with pointers that name the field
 * itself. `ajv` must be `verbose`. Throws when the schema cannot be compiled.
 */
export function compileCheck(
  ajv: Pick<Ajv, 'addSchema' | 'getSchema'>,
  schema: AnySchema,
  place: Place,
): FindFaults {
  lastNumber += 1;
  const name = `check-${lastNumber}`;
  ajv.addSchema(schema, name);
  const validate = ajv.getSchema(name) as ValidateFunction;
  const pointerOf = schemaPointers(schema);
  const schemaBelow: SchemaBelow = (parent, path) => {
    const pointer = pointerOf(parent);
    return pointer === undefined ? undefined : ajv.getSchema(`${name}#${pointer}${path}`);
  };
  return (value) =>
    validate(value) ? [] : faultsOf(settleUnions(validate.errors ?? [], schemaBelow), place);
}

/** Adds faults to those that are known: of a place that something is said of already, nothing more is said. */
export function mergeFaults(known: Fault[], more: readonly Fault[]): Fault[] {
  if (more.length === 0) return known;
  const pointers = new Set(known.map(({ pointer }) => pointer));
  return [...known, ...more.filter(({ pointer }) => !pointers.has(pointer))];
}

function faultsOf(all: readonly ErrorObject[], { prefix, isText = false }: Place): Fault[] {
  const errors = all.slice(0, MAX_ERRORS);
  const distinct = new Map<string, Fault>();
  for (const error of errors.filter((one) => !isImplied(one, errors))) {
    const pointer = prefix + error.instancePath + offendingField(error);
    const detail = describeFault(error.keyword, error, isText);
    distinct.set(`${pointer} ${detail}`, { pointer, detail });
  }
  return [...distinct.values()].slice(0, MAX_FAULTS);
}

/** Tells whether another error says the same, and says it better. */
function isImplied(error: ErrorObject, errors: readonly ErrorObject[]): boolean {
  const isSaidBy = (keyword: string, test: (other: ErrorObject) => boolean) =>
    errors.some(
      (other) => other.keyword === keyword && other.instancePath === error.instancePath && test(other),
    );
  switch (error.keyword) {
    case 'if':
      return errors.length > 1;
    case 'pattern':
      return isSaidBy('format', (other) => other.parentSchema === error.parentSchema);
    case 'required':
      return isSaidBy('discriminator', (other) => other.params.tag === error.params.missingProperty);
    case 'type':
      return ['enum', 'const'].some((keyword) =>
        isSaidBy(keyword, (other) => other.parentSchema === error.parentSchema),
      );
    default:
      return false;
  }
}

function offendingField({ keyword, params }: ErrorObject): string {
  const names: Record<string, unknown> = {
    required: params.missingProperty,
    dependencies: params.missingProperty,
    dependentRequired: params.missingProperty,
    additionalProperties: params.additionalProperty,
    unevaluatedProperties: params.unevaluatedProperty,
    propertyNames: params.propertyName,
    discriminator: params.tag,
  };
  const name = names[keyword];
  return typeof name === 'string' ? `/${escapePointer(name)}` : '';
}
