import type { CatalogType } from '@accepted/shared/database/catalog';
import { compileSchema } from '@accepted/shared/json-schema/compile-schema';
import type { ValidateFunction } from 'ajv';
import { faultsOfAjv } from '../http/faults.ts';
import type { Fault } from '../http/problem.ts';

/** A job type with its payload schemas compiled. */
export interface KnownJobType {
  row: CatalogType;
  findPayloadFaults(payload: unknown): Fault[];
  /** Answers the ids of the schemas of other live builds that refuse a payload. */
  refusingSchemas(payload: unknown): string[];
}

export interface PayloadChecks {
  /** Compiles what is new among the types, and lets go of what is not there any more. */
  compile(rows: CatalogType[]): Map<string, KnownJobType>;
}

/** What a validator is made of; it is kept for as long as some type has this very schema. */
type SchemaKey = string;

/**
 * Compiles payload schemas (JSON Schema, draft 2020-12) once for as long as they are there. A schema that cannot be
 * compiled is reported and lets every payload pass: the worker checks again with the real schema.
 */
export function createPayloadChecks(onBrokenSchema: (type: string, error: unknown) => void): PayloadChecks {
  let compiled = new Map<SchemaKey, ValidateFunction | undefined>();

  function compileOne(type: string, schema: object): ValidateFunction | undefined {
    try {
      return compileSchema(schema);
    } catch (error) {
      onBrokenSchema(type, error);
      return undefined;
    }
  }

  return {
    compile(rows) {
      const kept: typeof compiled = new Map();
      const validatorOf = (type: string, schema: object) => {
        const key = `${type} ${JSON.stringify(schema)}`;
        const validate = compiled.has(key) ? compiled.get(key) : compileOne(type, schema);
        kept.set(key, validate);
        return validate;
      };
      const known = new Map(rows.map((row) => [row.type, know(row, validatorOf)]));
      compiled = kept;
      return known;
    },
  };
}

function know(
  row: CatalogType,
  validatorOf: (type: string, schema: object) => ValidateFunction | undefined,
): KnownJobType {
  const validate = validatorOf(row.type, row.payloadSchema);
  const others = row.otherSchemas.map(({ id, payloadSchema }) => ({
    id,
    validate: validatorOf(row.type, payloadSchema),
  }));
  return {
    row,
    findPayloadFaults: (payload) =>
      !validate || validate(payload) ? [] : faultsOfAjv(validate.errors, '/payload'),
    refusingSchemas: (payload) =>
      others.flatMap((other) => (!other.validate || other.validate(payload) ? [] : other.id)),
  };
}
