import { createHash } from 'node:crypto';
import type { JobTypeDefaults } from '@accepted/shared/core/job/job-type';
import { stringifyPlainly } from '@accepted/shared/core/json/exact-numbers';
import type { KnownJobType } from '../catalog/payload-checks.ts';
import type { Fault } from '../http/problem.ts';
import { resolvePointer } from './json-pointer.ts';

/** What a payload comes to by the rules of its type: its value is not looked at again. */
export interface InspectedPayload {
  faults: Fault[];
  /** Ids of the schemas of other live builds that refuse it. */
  refusedBy: string[];
  json: string;
  /** The key that its type makes of it, and counts by; not there when the type makes none. */
  concurrencyKey?: string;
}

/** Of the whole key, its type included; as for a key of the request. */
const MAX_KEY_LENGTH = 255;

/** Looks at a parsed payload by the rules of its type. */
export function inspectPayload(known: KnownJobType, payload: unknown): InspectedPayload {
  const faults = known.findPayloadFaults(payload);
  const { type, defaults } = known.row;
  const key = keyOfType(payload, type, defaults.concurrency);
  return {
    faults,
    refusedBy: faults.length > 0 ? [] : known.refusingSchemas(payload),
    json: JSON.stringify(payload),
    ...(key !== undefined && { concurrencyKey: key }),
  };
}

/** A key that is made from the payload counts within its type alone, and is the same however its numbers are spelled. */
export function keyOfType(
  payload: unknown,
  type: string,
  concurrency: JobTypeDefaults['concurrency'],
): string | undefined {
  if (!concurrency) return undefined;
  if (concurrency.keyPointer === undefined) return type;
  const value = resolvePointer(payload, concurrency.keyPointer);
  if (value === undefined || value === null) return undefined;
  const text = typeof value === 'string' ? value : stringifyPlainly(value);
  const key = `${type}:${text}`;
  return key.length <= MAX_KEY_LENGTH ? key : `${type}:sha256:${hash(text)}`;
}

/** A value of the payload may be as large as the payload, and the key stands in an index and in every row of a list. */
function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
