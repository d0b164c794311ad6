import type { JobTypeRow } from '@accepted/shared/database/tables';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { faultsOfAjv } from '../http/faults.ts';
import type { Fault } from '../http/problem.ts';

/** A job type with its payload schema compiled. */
export interface KnownJobType {
  row: JobTypeRow;
  findPayloadFaults(payload: unknown): Fault[];
}

/**
 * Compiles payload schemas (JSON Schema, draft 2020-12) once for as long as they stay the same. A schema that Ajv cannot
 * compile is reported and lets every payload pass: the worker checks again with the real schema.
 */
export function createPayloadChecks(onBrokenSchema: (type: string, error: unknown) => void): {
  known(row: JobTypeRow): KnownJobType;
} {
  const compiled = new Map<string, { schemaText: string; validate: ValidateFunction | undefined }>();

  function compile(row: JobTypeRow): ValidateFunction | undefined {
    const schemaText = JSON.stringify(row.payload_schema);
    const earlier = compiled.get(row.type);
    if (earlier?.schemaText === schemaText) return earlier.validate;
    let validate: ValidateFunction | undefined;
    try {
      validate = newAjv().compile(row.payload_schema);
    } catch (error) {
      onBrokenSchema(row.type, error);
    }
    compiled.set(row.type, { schemaText, validate });
    return validate;
  }

  return {
    known(row) {
      const validate = compile(row);
      return {
        row,
        findPayloadFaults: (payload) =>
          !validate || validate(payload) ? [] : faultsOfAjv(validate.errors, '/payload'),
      };
    },
  };
}

/** One for each schema, so that two types may use the same `$id`. */
function newAjv(): Ajv2020 {
  // A format that Ajv does not know is left to the worker, which has the real schema; each would be logged here.
  const ajv = new Ajv2020({ allErrors: true, strict: false, logger: false });
  addFormats.default(ajv);
  return ajv;
}
