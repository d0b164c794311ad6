import { parseItem } from 'structured-headers';
import { type Fault, invalidParameter } from './problem.ts';

const PRINTABLE = /^[\x20-\x7e]{1,255}$/;

/**
 * Reads `Idempotency-Key` (IETF draft): a structured-field string, or the bare text that most clients send; both forms
 * of a text are the same key. Throws `invalid_parameter` when it is not 1 to 255 printable ASCII characters.
 */
export function parseIdempotencyKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  const key = typeof header === 'string' ? unquote(header) : undefined;
  if (key === undefined || !PRINTABLE.test(key)) throw invalidParameter([FAULT]);
  return key;
}

const FAULT: Fault = {
  pointer: '/headers/idempotency-key',
  detail: 'The key must be one text of 1 to 255 printable ASCII characters, bare or in double quotes.',
};

function unquote(header: string): string | undefined {
  const text = header.trim();
  if (!text.startsWith('"')) return text;
  try {
    const [value] = parseItem(text);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
