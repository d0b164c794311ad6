import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { NamedSchemas, Schema } from '../document/schema.ts';

/** Says what is wrong with a value by a schema of the document; `undefined` when nothing is. */
export type FindFault = (schema: Schema, value: unknown) => string | undefined;

const MAX_FAULT_LENGTH = 500;
const ROOT = 'document';

/** Checks values by schemas that refer to others of the document. What is given as text, as in a header, is taken for a number where one is wanted. */
export function createSchemaChecks(schemas: NamedSchemas, { isText = false } = {}): FindFault {
  const ajv = new Ajv2020({ strict: false, coerceTypes: isText, logger: false });
  addFormats.default(ajv);
  ajv.addSchema({ $id: ROOT, components: { schemas } });
  const compiled = new Map<Schema, ValidateFunction>();

  function checkOf(schema: Schema): ValidateFunction {
    const known = compiled.get(schema);
    if (known) return known;
    const absolute = JSON.stringify(schema).replaceAll('"#/components/', `"${ROOT}#/components/`);
    const check = ajv.compile(JSON.parse(absolute));
    compiled.set(schema, check);
    return check;
  }

  return (schema, value) => {
    const check = checkOf(schema);
    if (check(value)) return undefined;
    return ajv.errorsText(check.errors, { dataVar: '' }).slice(0, MAX_FAULT_LENGTH);
  };
}
