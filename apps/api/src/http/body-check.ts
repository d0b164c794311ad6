import { replaceNumbers } from '@accepted/shared/core/json/exact-numbers';
import { Ajv, type Options } from 'ajv';
import addFormats from 'ajv-formats';
import { boundedCheck } from './bounded-check.ts';
import { compileCheck, type FindFaults } from './faults.ts';
import { jsonBytesKeyword } from './json-bytes-keyword.ts';
import { parseTime } from './parse-time.ts';

/** Makes what checks bodies against the schemas of their routes. A body has types of its own and is never changed. */
export function createBodyChecks(): (schema: object) => FindFaults {
  const forAllFaults = ajvForRequests({ allErrors: true });
  const forFirstFault = ajvForRequests({ allErrors: false });
  return (schema) => {
    const check = boundedCheck(compileCheck(forFirstFault, schema, { prefix: '' }), () =>
      compileCheck(forAllFaults, schema, { prefix: '' }),
    );
    return (value) => check(replaceNumbers(value, asNoType));
  };
}

/** Makes an Ajv that knows what the schemas of routes use. */
export function ajvForRequests(options: Options): Ajv {
  const ajv = new Ajv({ ...options, verbose: true, discriminator: true, strict: false });
  addFormats.default(ajv);
  ajv.addFormat('date-time', { type: 'string', validate: (text) => parseTime(text) !== undefined });
  ajv.addKeyword(jsonBytesKeyword);
  return ajv;
}

/** Only a field that takes anything takes a number that a double would change: not as a number, nor as its text. */
const asNoType = (digits: string) => Symbol(digits);
