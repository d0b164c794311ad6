import { createHash } from 'node:crypto';
import type { JobError } from './decide-outcome.ts';

/**
 * Parts of a message that differ between two occurrences of the same error: UUIDs, TypeIDs, IPv6 addresses, hashes, and
 * numbers, also those with points and colons between, such as an address with its port, a time or a duration.
 */
const VARIABLE_PARTS = new RegExp(
  [
    '[0-9a-f]{8}-[0-9a-f-]{27}',
    '[a-z]+_[0-7][0-9a-hjkmnp-tv-z]{25}',
    '0x[0-9a-f]+',
    '\\[?(?<![\\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![0-9a-f])(?:(?:\\.\\d+){3})?\\]?(?::\\d+)?',
    '\\b(?=[a-f]*\\d)[0-9a-f]{8,}\\b',
    '\\d+(?:[.:,]\\d+)*',
  ].join('|'),
  'gi',
);

/**
 * Groups alike errors: the same job type, code, message without its numbers and ids, and place of origin give the
 * same fingerprint, 16 hex digits. Of a list of reasons neither the order nor the number counts: a name that has many
 * addresses gives another one first each time.
 */
export function errorFingerprint(type: string, error: JobError): string {
  const origin = error.stack?.split('\n').find((line) => line.trimStart().startsWith('at ')) ?? '';
  const place = origin.replace(/:\d+:\d+\)?$/, '').trim();
  const alike = [type, error.code, commonMessage(error.message), place];
  return createHash('sha256').update(JSON.stringify(alike)).digest('hex').slice(0, 16);
}

function commonMessage(message: string): string[] {
  const parts = message.replace(VARIABLE_PARTS, '#').split(/[:;] /);
  return [...new Set(parts)].filter((part) => part !== 'and # more').sort();
}
