import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

/** Judges schemas by the schema of schemas, which takes 60 ms to compile: once, and not with each of them. */
const judge = new Ajv2020({ strict: false, logger: false });
judge.validateSchema({});

/**
 * Makes what compiles this JSON Schema (draft 2020-12); throws when it is none. API and workers must come to the same
 * verdict of a payload, so both compile by this. Each schema has one of its own, so that two may use the same `$id`.
 */
export function createSchemaCompiler(schema: object): Ajv2020 {
  judge.validateSchema(schema, true);
  // A format that Ajv does not know is left to the worker, which has the real schema; each would be logged here.
  const ajv = new Ajv2020({
    allErrors: true,
    verbose: true,
    strict: false,
    logger: false,
    validateSchema: false,
  });
  addFormats.default(ajv);
  return ajv;
}

/** Compiles a JSON Schema; throws when Ajv cannot. */
export function compileSchema(schema: object): ValidateFunction {
  return createSchemaCompiler(schema).compile(schema);
}
