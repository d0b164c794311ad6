/** With which key a request goes out; `all` has every scope, `few` only some, `other` is another tenant's. */
export const KEY_NAMES = ['all', 'few', 'other', 'none', 'unknown', 'revoked', 'malformed'] as const;

export type KeyName = (typeof KEY_NAMES)[number];

/** What must come of a request: whatever is documented, a status from 400 to 499, or one of these. */
export type Expected = 'anything' | 'refused' | readonly number[];

/** A request as it goes out, but for the key. */
export interface FuzzRequest {
  /** The operation that it was made for, and which of its requests it is. */
  madeFor: string;
  number: number;
  /** What is odd about it, in words; empty when nothing is. */
  twists: string[];
  method: string;
  /** Path and query. */
  target: string;
  headers: readonly (readonly [string, string])[];
  body: Buffer | undefined;
  key: KeyName;
  expected: Expected;
}
