import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

/** Judges schemas by the schema of schemas, which takes 60 ms to compile: once, and not with each of them. */
const judge = new Ajv2020({ strict: false, logger: false });
judge.validateSchema({});

/**
 * Makes what compiles this JSON Schema (draft 2020-12); throws when it is none. API and workers must come to the same
 * verdict of a payload, so both compile by this. Each schema has one of its own, so that two may use the same `$id`. Without
 * `allErrors` a check stops at the first fault, and costs no more than the value is large.
 */
export function createSchemaCompiler(schema: object, { allErrors }: { allErrors: boolean }): Ajv2020 {
  judge.validateSchema(schema, true);
  // A format that Ajv does not know is left to the worker, which has the real schema; each would be logged here.
  const ajv = new Ajv2020({
    allErrors,
    verbose: true,
    strict: false,
    logger: false,
    validateSchema: false,
  });
  addFormats.default(ajv);
  return ajv;
}

/** Compiles a JSON Schema into what tells whether a value is right; throws when Ajv cannot. */
export function compileSchema(schema: object): ValidateFunction {
  return createSchemaCompiler(schema, { allErrors: false }).compile(schema);
}
