import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

/**
 * Compiles a JSON Schema (draft 2020-12); throws when Ajv cannot. API and workers must come to the same verdict of a
 * payload, so both compile here. Each schema has an Ajv of its own, so that two may use the same `$id`.
 */
export function compileSchema(schema: object): ValidateFunction {
  // A format that Ajv does not know is left to the worker, which has the real schema; each would be logged here.
  const ajv = new Ajv2020({ allErrors: true, strict: false, logger: false });
  addFormats.default(ajv);
  return ajv.compile(schema);
}
