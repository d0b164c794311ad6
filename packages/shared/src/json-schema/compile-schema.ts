import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

/**
 * Makes what compiles one JSON Schema (draft 2020-12). API and workers must come to the same verdict of a payload, so
 * both compile by this. Each schema has one of its own, so that two may use the same `$id`.
 */
export function createSchemaCompiler(): Ajv2020 {
  // A format that Ajv does not know is left to the worker, which has the real schema; each would be logged here.
  const ajv = new Ajv2020({ allErrors: true, verbose: true, strict: false, logger: false });
  addFormats.default(ajv);
  return ajv;
}

/** Compiles a JSON Schema; throws when Ajv cannot. */
export function compileSchema(schema: object): ValidateFunction {
  return createSchemaCompiler().compile(schema);
}
