import type { BreaksBody } from '../request/make-request.ts';
import type { FindFault } from './schema-checks.ts';

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Makes the check whether a body is none that the document allows: no JSON in UTF-8, or against its schema. */
export function createBodyCheck(findFault: FindFault): BreaksBody {
  return ({ body }, bytes) => {
    if (!body) return false;
    if (bytes.length === 0) return body.isRequired;
    try {
      return findFault(body.schema, JSON.parse(UTF8.decode(bytes))) !== undefined;
    } catch (error) {
      // Nested deeper than the stack reaches: nothing is known.
      return !(error instanceof RangeError);
    }
  };
}
