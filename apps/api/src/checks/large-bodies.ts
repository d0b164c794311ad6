import { canonicalJson } from '@accepted/shared/core/job/idempotency-fingerprint';
import { createBodyChecks } from '../http/body-check.ts';
import { type FindFaults, mergeFaults } from '../http/faults.ts';
import { type Fault, Problem } from '../http/problem.ts';
import { readBody } from '../json/read-body.ts';

/** A body to be read where that holds up nobody. */
export interface LargeBody {
  bytes: Uint8Array;
  /** The JSON Schema of the route's body, as JSON. */
  schemaJson: string;
  /** Whether the canonical form of the payload is asked for. */
  needsCanonical: boolean;
}

/** A body that keeps the schema of its route: all that can be large in it is its payload, which stays a text. */
export interface ReadLargeBody {
  /** The body as JSON, without its payload. */
  restJson: string;
  payload?: { json: string; canonical?: string };
}

/** What is wrong with a body, to be thrown as a problem. */
export interface RefusedBody {
  code: 'malformed_json' | 'validation_failed';
  faults: Fault[];
}

/** Makes what reads large bodies; the checks of a route are compiled once. */
export function createLargeBodyReader(): (body: LargeBody) => ReadLargeBody | RefusedBody {
  const compile = createBodyChecks();
  const checks = new Map<string, FindFaults>();

  function checkOf(schemaJson: string): FindFaults {
    const check = checks.get(schemaJson) ?? compile(JSON.parse(schemaJson));
    checks.set(schemaJson, check);
    return check;
  }

  return ({ bytes, schemaJson, needsCanonical }) => {
    try {
      const { value, faults: textFaults } = readBody(
        Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length),
      );
      const faults = mergeFaults(textFaults, checkOf(schemaJson)(value));
      if (faults.length > 0) return { code: 'validation_failed', faults };
      return withPayloadApart(value, needsCanonical);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return { code: error.code as RefusedBody['code'], faults: error.errors ?? [] };
    }
  };
}

function withPayloadApart(value: unknown, needsCanonical: boolean): ReadLargeBody {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, 'payload'))
    return { restJson: JSON.stringify(value) };
  const { payload, ...rest } = value as { payload: unknown };
  return {
    restJson: JSON.stringify(rest),
    payload: {
      json: JSON.stringify(payload),
      ...(needsCanonical && { canonical: canonicalJson(payload) }),
    },
  };
}
