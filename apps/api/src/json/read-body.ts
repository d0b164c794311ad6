import { holdsInexactNumbers, parseExactly } from '@accepted/shared/core/json/exact-numbers';
import { type Fault, validationFailed } from '../http/problem.ts';
import { parseJson } from './parse-json.ts';
import { findTooDeep, mayHoldFaults, scanJson } from './scan-json.ts';

/** What a body says, and what in its text must not come in. */
export interface ReadBody {
  value: unknown;
  faults: Fault[];
}

/** Reads a body as JSON with every digit of its numbers. Throws a problem for what is none, or is nested too deeply. */
export function readBody(body: Buffer): ReadBody {
  const { value, text } = parseJson(body);
  const tooDeep = findTooDeep(value);
  if (tooDeep) throw validationFailed([tooDeep]);
  const hasDigits = holdsInexactNumbers(text);
  const exact = hasDigits ? parseExactly(text) : value;
  return { value: exact, faults: mayHoldFaults(text, hasDigits) ? scanJson(exact) : [] };
}
