import { createHash } from 'node:crypto';
import type { JobError } from './decide-outcome.ts';

/** Parts of a message that differ between two occurrences of the same error. */
const VARIABLE_PARTS = /[0-9a-f]{8}-[0-9a-f-]{27}|[a-z]+_[0-7][0-9a-hjkmnp-tv-z]{25}|0x[0-9a-f]+|\d+/gi;

/**
 * Groups alike errors: the same job type, code, message without its numbers and ids, and place of origin give the
 * same fingerprint, 16 hex digits.
 */
export function errorFingerprint(type: string, error: JobError): string {
  const origin = error.stack?.split('\n').find((line) => line.trimStart().startsWith('at ')) ?? '';
  const place = origin.replace(/:\d+:\d+\)?$/, '').trim();
  const alike = [type, error.code, error.message.replace(VARIABLE_PARTS, '#'), place];
  return createHash('sha256').update(JSON.stringify(alike)).digest('hex').slice(0, 16);
}
